"""The command `pytest-kmsmock` and its subcommands."""
