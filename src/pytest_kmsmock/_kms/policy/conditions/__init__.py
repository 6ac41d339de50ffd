"""Conditions of statements: `operators` compares values, `condition` evaluates a condition for a request."""

from .condition import Condition, compile_condition

__all__ = ["Condition", "compile_condition"]
