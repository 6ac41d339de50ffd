"""Users and role sessions of moto's IAM and STS as callers of the fake KMS. `_moto.identity` reads moto's state."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.policy.kinds import MalformedPolicy, PolicyKind
from pytest_kmsmock._kms.policy.policy import compile_policy
from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._kms.state.caller import Caller

if TYPE_CHECKING:
    from pytest_kmsmock._moto.identity import Identity


#: Replaces a boundary or session policy that AWS would have refused: it allows nothing.
_NOTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'


@functools.lru_cache(maxsize=256)  # the same caller until something changes
def caller_of(identity: Identity, *, enforced: bool) -> Caller:
    """Return a user or role session of moto as a caller.

    Args:
        identity: its identity in moto.
        enforced: whether its policies apply. If not, and for a role that moto does not have, it may do everything that
            key policies let IAM allow.
    """
    principal = Principal.parse(identity.arn, tags=dict(identity.tags), issuer_arn=identity.issuer)
    session = () if identity.session_policy is None else (_limit(identity.session_policy, PolicyKind.SESSION),)
    if not (enforced and (identity.exists or not identity.valid)):
        return Caller(principal, identity.account, administrator=True, session_policies=session)
    return Caller(
        principal,
        identity.account,
        session_policies=session,
        identity_policies=tuple(text for text in identity.policies if _is_readable(text, PolicyKind.IDENTITY)),
        boundary=None if identity.boundary is None else _limit(identity.boundary, PolicyKind.BOUNDARY),
    )


def _limit(text: str, kind: PolicyKind) -> str:
    return text if _is_readable(text, kind) else _NOTHING


def _is_readable(text: str, kind: PolicyKind) -> bool:
    """Say whether AWS would accept a policy; moto accepts others too."""
    try:
        compile_policy(text, kind)
    except MalformedPolicy:
        return False
    return True
