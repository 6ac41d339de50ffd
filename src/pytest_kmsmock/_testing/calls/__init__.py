"""The calls made so far: filters, patterns, assertions, and how a call is shown."""
