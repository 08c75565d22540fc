"""The kill harness: SIGKILL at chosen statements of an up, an update and a destroy, then everything must converge."""
