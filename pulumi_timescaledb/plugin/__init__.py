"""The plugin the Pulumi engine starts."""
