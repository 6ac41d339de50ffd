"""`ConditionValues`: what the policy engine looks up condition values in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import AccessRequest

    from .condition_values import Values


class ConditionValues:
    """The lookup of condition values for an access request."""

    __slots__ = ("access",)

    def __init__(self, access: AccessRequest) -> None:
        self.access = access

    def __call__(self, key: str) -> Values:
        """Return the values of a condition key (in lower case); None if the request does not have it."""
        from .condition_keys import values_of  # most policies have no conditions

        return values_of(self.access, key)

    def __eq__(self, other: object) -> bool:
        """Whether the access requests are equal: decisions that are made again are."""
        return isinstance(other, ConditionValues) and self.access == other.access
