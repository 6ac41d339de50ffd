"""Streams of records, and logs."""
