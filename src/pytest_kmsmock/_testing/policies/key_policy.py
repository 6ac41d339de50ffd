"""`key_policy(...)`: the key policy of the console's create-key wizard.

`_kms.policy.default_policies` builds the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.policy.default_policies import console_key_policy
from pytest_kmsmock._kms.policy.principals import ACCOUNT_ID, Principal, PrincipalKind
from pytest_kmsmock._runtime import active_mocks
from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock._runtime.checks import check_type, did_you_mean
from pytest_kmsmock._runtime.options import Options
from pytest_kmsmock._testing.identity.callers import principal_arn
from pytest_kmsmock._testing.identity.credentials import Home
from pytest_kmsmock.errors import InvalidPolicy, InvalidPrincipal

_NOT_TO_CHOOSE = {PrincipalKind.SERVICE: "an AWS service", PrincipalKind.ROOT: "an account"}
_ORIGINS = ("AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root")


@check_arguments()
def key_policy(
    account: str | None = None,
    partition: str | None = None,
    *,
    administrators: str | Iterable[str] = (),
    users: str | Iterable[str] = (),
    other_accounts: str | Iterable[str] = (),
    allow_deletion: bool = True,
    key_usage: str | None = None,
    key_spec: str = "SYMMETRIC_DEFAULT",
    origin: str = "AWS_KMS",
    multi_region: bool = False,
) -> str:
    """Return the key policy that the console's create-key wizard creates.

    Args:
        account: the account that owns the key, 12 digits; by default that of the active mock, or 123456789012.
        partition: the partition of its Region, such as `aws-cn`; by default that of the mock, or `aws`.
        administrators: the users and roles that may administer the key, but not use it: ARNs, or `user/NAME` and
            `role/NAME` of that account.
        users: the users and roles that may use the key, in the same form.
        other_accounts: other accounts whose administrators may let their users use the key: ids, or root ARNs.
        allow_deletion: whether key administrators may schedule the deletion of the key.
        key_usage: the KeyUsage of the key; not needed where the spec has only one, nor for SYMMETRIC_DEFAULT.
        key_spec: the KeySpec of the key.
        origin: the Origin of the key; administrators of an EXTERNAL key may import material.
        multi_region: whether it is a multi-Region key, which administrators may replicate.

    Returns:
        The document.

    Raises:
        InvalidPolicy: an unknown spec, usage, origin or partition, or a flag that is neither True nor False.
        InvalidPrincipal: a wrong account, user or role.

    Example:
        >>> from pytest_kmsmock import key_policy
        >>> "arn:aws:iam::123456789012:role/app" in key_policy(users="role/app")
        True

    AWS: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    home = _home(account, partition)
    for name, value in (("allow_deletion", allow_deletion), ("multi_region", multi_region)):
        check_type(value, bool, f"key_policy(): {name}", error=InvalidPolicy)
    for name, text in (("key_spec", key_spec), ("key_usage", "" if key_usage is None else key_usage)):
        check_type(text, str, f"key_policy(): {name}", "a string", error=InvalidPolicy)
    if origin not in _ORIGINS:
        hint = did_you_mean(origin, _ORIGINS)
        raise InvalidPolicy(f"key_policy(): unknown origin {origin!r}.{hint} Choose from: {', '.join(_ORIGINS)}.")
    return console_key_policy(
        home.account,
        home.partition,
        administrators=principal_arns(administrators, home),
        users=principal_arns(users, home),
        other_accounts=account_ids(other_accounts),
        allow_deletion=allow_deletion,
        key_usage=_usage(key_spec, key_usage),
        key_spec=key_spec,
        origin=origin,
        multi_region=multi_region,
    )


def _home(account: str | None, partition: str | None) -> Home:
    """Return account and partition of the key.

    Raises:
        InvalidPolicy: a wrong partition.
        InvalidPrincipal: a wrong account.
    """
    mock = active_mocks.current()
    if account is None:
        account = Options().account if mock is None else mock.options.account
    [owner] = account_ids([account])
    if partition is None:
        partition = "aws" if mock is None else partition_of(mock.region)
    if not isinstance(partition, str) or not _PARTITION.fullmatch(partition):
        raise InvalidPolicy(f"key_policy(): unknown partition {partition!r}; expected one such as 'aws-cn'.")
    return Home(owner, partition)


def _usage(spec: str, usage: str | None) -> str:
    """Return the KeyUsage of a key.

    Raises:
        InvalidPolicy: the spec is unknown, does not have the usage, or has several and none was given.
    """
    known = KEY_SPECS.get(spec)
    if known is None:
        raise InvalidPolicy(f"key_policy(): unknown key_spec {spec!r}. Choose from: {', '.join(KEY_SPECS)}.")
    if usage is None and len(known.usages) == 1:
        return next(iter(known.usages))
    if usage is None or usage not in known.usages:
        raise InvalidPolicy(f"key_policy(): the key_usage of {spec} is {' or '.join(known.usages)}, not {usage!r}.")
    return usage


def each(names: str | Iterable[str]) -> list[str]:
    """Return names that are given as a list, or as a string if there is only one.

    Raises:
        InvalidPrincipal: anything else.
    """
    if not isinstance(names, Iterable):
        raise InvalidPrincipal(f"Principals and accounts must be a name or a list of names, not {names!r}.")
    return [names] if isinstance(names, str) else list(names)


def principal_arns(names: str | Iterable[str], home: Home) -> list[str]:
    """Return the ARNs of users, roles and sessions, which a key policy can name.

    Raises:
        InvalidPrincipal: for anything else.
    """
    arns = [principal_arn(name, home) for name in each(names)]
    for arn in arns:
        kind = Principal.parse(arn).kind
        if kind in _NOT_TO_CHOOSE:
            raise InvalidPrincipal(
                f"{arn} is {_NOT_TO_CHOOSE[kind]}: the console lets only users and roles be chosen, and other accounts."
            )
    return arns


def account_ids(accounts: str | Iterable[str]) -> list[str]:
    """Return the ids of accounts that are given as ids or as the ARNs of their root users.

    Raises:
        InvalidPrincipal: for anything else.
    """
    found: list[str] = []
    for text in each(accounts):
        root = _ROOT.fullmatch(str(text))
        if root is None and not (isinstance(text, str) and re.fullmatch(ACCOUNT_ID, text)):
            raise InvalidPrincipal(
                f"Expected an account id of 12 digits as a string, such as '111122223333', not {text!r}."
            )
        found.append(text if root is None else root[1])
    return found
