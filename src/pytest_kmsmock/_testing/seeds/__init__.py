"""Keys to begin with, from code and from files."""
