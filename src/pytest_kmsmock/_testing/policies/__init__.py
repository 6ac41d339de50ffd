"""Policies and decisions: simulation, explanation, least privilege."""
