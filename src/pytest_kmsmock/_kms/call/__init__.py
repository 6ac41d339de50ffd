"""Calls, operations and their targets; eventual consistency."""
