"""What the `KmsMock` handle offers to test authors, one module per feature."""
