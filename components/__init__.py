"""Building blocks of the Flows platform: Pulumi components, one file each."""
