"""Resources of the AWS provider as records of `model`: a table of types.

Sources: the reference of each type in https://registry.terraform.io/providers/hashicorp/aws/latest/docs
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..model import (
    Alias,
    Attachment,
    Document,
    Grant,
    Item,
    Key,
    KeyPolicy,
    KeyStore,
    ManagedPolicy,
    Membership,
    Principal,
    Replica,
)
from .other_services import OTHER_SERVICES
from .resource import Declared

#: How IAM names a principal that has been deleted, in place of its ARN.
#: See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
_DELETED = ("AROA", "AIDA")


def _key(declared: Declared) -> Iterable[Item]:
    settings: dict[str, Any] = {
        "spec": declared.string("customer_master_key_spec") or "SYMMETRIC_DEFAULT",
        "usage": declared.string("key_usage"),
        "description": declared.required("description"),
        "tags": declared.tags(),
        "multi_region": declared.flag("multi_region"),
        "enabled": declared.flag("is_enabled", default=True),
        "key_store": declared.string("custom_key_store_id"),
        "xks_key_id": declared.string("xks_key_id"),
    }
    if declared.flag("enable_key_rotation"):
        settings["rotation_period_in_days"] = int(declared.get("rotation_period_in_days") or 365)
    policy = declared.document(declared.get("policy"))
    yield Key(declared.place, declared.stack, declared.required("key_id"), settings, policy)


def _external_key(declared: Declared) -> Iterable[Item]:
    settings = {
        "spec": declared.string("key_spec") or "SYMMETRIC_DEFAULT",
        "usage": declared.string("key_usage"),
        "origin": "EXTERNAL",
        "material": declared.string("key_material_base64"),
        "description": declared.required("description"),
        "tags": declared.tags(),
        "multi_region": declared.flag("multi_region"),
        "enabled": declared.get("key_material_base64") in (None, "") or declared.flag("enabled", default=True),
    }
    policy = declared.document(declared.get("policy"))
    yield Key(declared.place, declared.stack, declared.required("key_id"), settings, policy)


def _replica(declared: Declared) -> Iterable[Item]:
    settings = {
        "description": declared.required("description"),
        "tags": declared.tags(),
        "enabled": declared.flag("enabled", default=True),
    }
    policy = declared.document(declared.get("policy"))
    yield Replica(declared.place, declared.stack, declared.required("primary_key_arn"), settings, policy)


def _alias(declared: Declared) -> Iterable[Item]:
    yield Alias(declared.place, declared.stack, declared.required("name"), declared.required("target_key_id"))


def _key_policy(declared: Declared) -> Iterable[Item]:
    policy = declared.document(declared.get("policy"))
    if policy is not None:
        yield KeyPolicy(declared.place, declared.stack, declared.required("key_id"), policy)


def _grant(declared: Declared) -> Iterable[Item]:
    grantee = declared.required("grantee_principal")
    if grantee.startswith(_DELETED):
        declared.unknown(
            f"the grantee {grantee} is the id of a principal that was deleted: the grant gives nobody anything"
        )
        return
    constraints: dict[str, Any] = {}
    for block in declared.blocks("constraints"):
        for name, parameter in (
            ("encryption_context_equals", "EncryptionContextEquals"),
            ("encryption_context_subset", "EncryptionContextSubset"),
        ):
            if block.get(name):
                constraints[parameter] = dict(block[name])
    params = {
        "KeyId": declared.required("key_id"),
        "GranteePrincipal": grantee,
        "Operations": sorted(declared.strings("operations")),
        "RetiringPrincipal": declared.string("retiring_principal"),
        "Name": declared.string("name"),
        "Constraints": constraints or None,
    }
    yield Grant(declared.place, declared.stack, {name: value for name, value in params.items() if value is not None})


def _key_store(declared: Declared) -> Iterable[Item]:
    external = declared.string("custom_key_store_type") == "EXTERNAL_KEY_STORE"
    yield KeyStore(declared.place, declared.stack, declared.required("id"), external)


# --- IAM --------------------------------------------------------------------------------------------------------------


def _inline(declared: Declared) -> tuple[Document, ...]:
    found = [declared.document(block.get("policy")) for block in declared.blocks("inline_policy")]
    return tuple(document for document in found if document is not None)


def _principal(kind: str) -> Callable[[Declared], Iterable[Item]]:
    def make(declared: Declared) -> Iterable[Item]:
        yield Principal(
            declared.place, declared.stack, kind, declared.required("name"), declared.required("arn"),
            _inline(declared), declared.strings("managed_policy_arns"), declared.string("permissions_boundary"),
            trust=declared.required("assume_role_policy"), tags=declared.tags(),
        )  # fmt: skip

    return make


def _managed_policy(declared: Declared) -> Iterable[Item]:
    document = declared.document(declared.get("policy"))
    if document is not None:
        name, arn = declared.required("name"), declared.required("arn")
        yield ManagedPolicy(declared.place, declared.stack, name, arn, document)


def _policy_of(kind: str) -> Callable[[Declared], Iterable[Item]]:
    def make(declared: Declared) -> Iterable[Item]:
        document = declared.document(declared.get("policy"))
        if document is not None:
            yield Attachment(declared.place, declared.stack, kind, declared.required(kind), document)

    return make


def _attachment_to(kind: str) -> Callable[[Declared], Iterable[Item]]:
    def make(declared: Declared) -> Iterable[Item]:
        arn = declared.required("policy_arn")
        yield Attachment(declared.place, declared.stack, kind, declared.required(kind), arn)

    return make


def _attachments(declared: Declared) -> Iterable[Item]:
    for kind in ("role", "user", "group"):
        for name in declared.strings(f"{kind}s"):
            yield Attachment(declared.place, declared.stack, kind, name, declared.required("policy_arn"))


def _members(declared: Declared) -> Iterable[Item]:
    yield Membership(declared.place, declared.stack, declared.required("group"), declared.strings("users"))


def _groups_of_user(declared: Declared) -> Iterable[Item]:
    for group in declared.strings("groups"):
        yield Membership(declared.place, declared.stack, group, (declared.required("user"),))


#: Type -> the function that returns the records of a resource.
RESOURCES: Mapping[str, Callable[[Declared], Iterable[Item]]] = {
    "aws_kms_key": _key,
    "aws_kms_external_key": _external_key,
    "aws_kms_replica_key": _replica,
    "aws_kms_replica_external_key": _replica,
    "aws_kms_alias": _alias,
    "aws_kms_key_policy": _key_policy,
    "aws_kms_grant": _grant,
    "aws_kms_custom_key_store": _key_store,
    "aws_iam_role": _principal("role"),
    "aws_iam_user": _principal("user"),
    "aws_iam_group": _principal("group"),
    "aws_iam_policy": _managed_policy,
    "aws_iam_role_policy": _policy_of("role"),
    "aws_iam_user_policy": _policy_of("user"),
    "aws_iam_group_policy": _policy_of("group"),
    "aws_iam_role_policy_attachment": _attachment_to("role"),
    "aws_iam_user_policy_attachment": _attachment_to("user"),
    "aws_iam_group_policy_attachment": _attachment_to("group"),
    "aws_iam_policy_attachment": _attachments,
    "aws_iam_group_membership": _members,
    "aws_iam_user_group_membership": _groups_of_user,
    **OTHER_SERVICES,
}
