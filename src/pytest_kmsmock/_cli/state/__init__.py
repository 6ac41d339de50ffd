"""The state file of `pytest-kmsmock serve --state`: a SQLite file, with a row for each record."""
