"""Keys that tests create in one step, from code and from files."""
