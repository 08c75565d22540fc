"""Generated specs of every kind, made on a real server and read back."""
