"""The command line: `pytest-kmsmock serve`."""
