"""The recorded calls: filters, patterns, assertions, and their formatting."""
