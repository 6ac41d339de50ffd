"""Names that are probably misspelt, in the policies of a decision or of its principal: lines for explanations.

AWS stores unknown actions and condition keys without an error, and decides for principals that have no policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.permissions.condition_keys import CONDITION_KEYS, find_row
from pytest_kmsmock._kms.policy.decision import with_names
from pytest_kmsmock._runtime.checks import closest, did_you_mean

from .permission_names import unknown_actions

if TYPE_CHECKING:
    from pytest_kmsmock._kms.policy.decision import Decision
    from pytest_kmsmock._kms.policy.evaluation import Request
    from pytest_kmsmock._kms.policy.statements import Statement

#: Prefixes of the condition keys that the table has all of.
_VENDORS = ("aws:", "kms:")


def misspelt(decision: Decision) -> Iterator[str]:
    """Yield a line for each unknown name that may be the reason of a decision.

    Of a denial these are all; of an allowed request those of Deny statements, which deny nothing then.
    """
    for name, policy in with_names(decision.policies):
        statements = [each for each in policy.statements if each.deny or not decision.allowed]
        yield from (f"! {name}, {found}" for found in unknown_actions(statements))
        yield from (f"! {name}, {found}" for found in _unknown_condition_keys(statements))
    if not (decision.allowed or decision.policies.identity):
        yield from _other_holder(decision.request)


def _unknown_condition_keys(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        for condition in statement.conditions:
            key = condition.context_key
            if key.startswith(_VENDORS) and find_row(key)[0] is None:
                # `tenant` of `kms:EncryptionContext:tenant`, `team` of `aws:ResourceTag/team`
                suffix = "".join(re.split("[:/]", condition.key, maxsplit=2)[2:])
                known = [row.name + suffix if row.name.endswith((":", "/")) else row.name for row in CONDITION_KEYS]
                yield f"{statement.name}: unknown condition key {condition.key!r}.{did_you_mean(condition.key, known)}"


def _other_holder(request: Request) -> Iterator[str]:
    """Yield the user or role with policies that a caller without any may mean: deployed, or with a similar name."""
    own = request.principal.issuer_arn or request.principal.arn
    home, _, name = own.rpartition("/")
    account = home.rpartition(":")[0]
    # CloudFormation names a role STACK-ID-SUFFIX; CDK adds digits to ids. Deployed policies have an origin.
    generated = re.compile(f".+-{re.escape(name)}([0-9A-F]{{8}})?-[A-Z0-9]+")
    if any(arn in request.origins and generated.fullmatch(arn) for arn in request.holders):
        yield f"! A deployed principal has this name in its file: kms_mock.deployed({name!r}) is its ARN."
        return
    # What has been attached to the caller since is no hint: the decision was made without it.
    others = {arn.rpartition("/")[2]: arn for arn, policies in request.holders.items() if policies and arn != own}
    for match in closest(name, others):
        yield f"! Policies are attached to {others[match].removeprefix(f'{account}:')}. Did you mean that?"
