"""Injected errors and delays, and request quotas."""
