"""Services that keep streams of records."""
