"""What `pytest-kmsmock serve --state` keeps: every change of the state as rows of a SQLite file."""
