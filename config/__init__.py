"""What an operator sets: environment variables (settings) and the list of archives (archives.toml)."""
