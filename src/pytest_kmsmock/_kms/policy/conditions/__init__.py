"""Conditions of statements: `operators` compares values, `condition` evaluates a condition for a request."""

from .condition import Condition, compile_condition
from .operators import OPERATORS

__all__ = ["OPERATORS", "Condition", "compile_condition"]
