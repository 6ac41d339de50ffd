"""The key policies that AWS creates: the default of CreateKey, and that of the console's create-key wizard.

See https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from .key_policy_format import format_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .documents import Json

_ADMINISTER = (
    "Create*",
    "Describe*",
    "Enable*",
    "List*",
    "Put*",
    "Update*",
    "Revoke*",
    "Disable*",
    "Get*",
    "Delete*",
    "TagResource",
    "UntagResource",
)
_DELETE = ("ScheduleKeyDeletion", "CancelKeyDeletion")
_ROTATE = ("RotateKeyOnDemand",)
_IMPORT = ("ImportKeyMaterial",)
_MULTI_REGION = ("ReplicateKey", "UpdatePrimaryRegion")
_SYMMETRIC = ("Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "DescribeKey")
# By KeyUsage, for keys other than symmetric encryption keys.
_USE = {
    "ENCRYPT_DECRYPT": ("Encrypt", "Decrypt", "ReEncrypt*", "DescribeKey", "GetPublicKey"),
    "SIGN_VERIFY": ("DescribeKey", "GetPublicKey", "Sign", "Verify"),
    "GENERATE_VERIFY_MAC": ("DescribeKey", "GenerateMac", "VerifyMac"),
    "KEY_AGREEMENT": ("DescribeKey", "GetPublicKey", "DeriveSharedSecret"),
    "ENCAPSULATE_DECAPSULATE": ("DescribeKey", "GetPublicKey", "Encapsulate", "Decapsulate"),
}
_PERSIST = ("CreateGrant", "ListGrants", "RevokeGrant")


def _document(policy_id: str, statements: list[Json]) -> str:
    return format_json({"Version": "2012-10-17", "Id": policy_id, "Statement": statements})


def _enable_iam(account: str, partition: str) -> dict[str, Json]:
    return {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }


@functools.lru_cache(maxsize=256)  # all keys of an account share one string
def default_key_policy(account: str, partition: str = "aws") -> str:
    """Return the default key policy, of keys created without a policy.

    Args:
        account: 12-digit id of the account that owns the key.
        partition: Partition of the Region, such as `aws-cn`.

    Returns:
        The document, character for character as GetKeyPolicy returns it.
    """
    return _document("key-default-1", [_enable_iam(account, partition)])


def console_key_policy(
    account: str,
    partition: str = "aws",
    *,
    administrators: Iterable[str] = (),
    users: Iterable[str] = (),
    other_accounts: Iterable[str] = (),
    allow_deletion: bool = True,
    key_usage: str = "ENCRYPT_DECRYPT",
    key_spec: str = "SYMMETRIC_DEFAULT",
    origin: str = "AWS_KMS",
    multi_region: bool = False,
) -> str:
    """Return the key policy that the console's create-key wizard creates.

    Args:
        account: 12-digit id of the account that owns the key.
        partition: Partition of the Region.
        administrators: ARNs of the key administrators: users and roles that may manage the key, but not use it.
        users: ARNs of the key users: users and roles that may use the key.
        other_accounts: Ids of other accounts whose administrators may delegate use of the key.
        allow_deletion: Whether key administrators may schedule the deletion of the key.
        key_usage: KeyUsage of the key.
        key_spec: KeySpec of the key.
        origin: Origin of the key; administrators of an EXTERNAL key may import key material.
        multi_region: Whether it is a multi-Region key, which administrators may also replicate.

    Returns:
        The document.
    """
    statements: list[Json] = [_enable_iam(account, partition)]
    admins = list(administrators)
    callers = [*users, *(f"arn:{partition}:iam::{other}:root" for other in other_accounts)]
    symmetric = key_spec == "SYMMETRIC_DEFAULT"
    if admins:
        actions = (
            *_ADMINISTER,
            *(_DELETE if allow_deletion else ()),
            *(_IMPORT if origin == "EXTERNAL" else ()),
            *(_MULTI_REGION if multi_region else ()),
            *(_ROTATE if symmetric and origin in {"AWS_KMS", "EXTERNAL"} else ()),
        )
        statements.append(_allow_statement("Allow access for Key Administrators", admins, actions))
    if callers:
        statements.append(
            _allow_statement("Allow use of the key", callers, _SYMMETRIC if symmetric else _USE[key_usage])
        )
        if symmetric:
            statements.append(
                _allow_statement("Allow attachment of persistent resources", callers, _PERSIST)
                | {"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
            )
    return _document("key-consolepolicy-3", statements)


def _allow_statement(sid: str, principals: list[str], actions: Iterable[str]) -> dict[str, Json]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principals[0] if len(principals) == 1 else [*principals]},
        "Action": [f"kms:{action}" for action in actions],
        "Resource": "*",
    }
