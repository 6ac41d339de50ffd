"""Principals: their credentials, request context and attached policies."""
