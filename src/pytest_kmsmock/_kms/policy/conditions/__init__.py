"""Conditions of statements: `operators` compare values, `condition` decides on one condition of a request."""

from .condition import Condition, compile_condition

__all__ = ["Condition", "compile_condition"]
