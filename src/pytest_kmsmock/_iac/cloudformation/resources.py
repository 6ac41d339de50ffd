"""Resources of KMS and IAM in CloudFormation as records of `model`: a table of types.

Sources: the reference of each type, such as
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..model import (
    Alias,
    Attachment,
    Document,
    Item,
    Key,
    ManagedPolicy,
    Membership,
    Principal,
    Replica,
    ServiceResource,
)
from ..names import arn, key_id
from ..policies import as_list, mentions_kms
from ..reading import line_of
from .declared import Declared
from .functions import function_of
from .other_services import OTHER_SERVICES
from .stack import OURS, StackScope

# --- KMS --------------------------------------------------------------------------------------------------------------


def _key(declared: Declared) -> Iterable[Item]:
    multi_region = bool(declared.flag("MultiRegion", False))
    settings: dict[str, Any] = {
        "spec": declared.string("KeySpec") or "SYMMETRIC_DEFAULT",
        "usage": declared.string("KeyUsage"),
        "origin": declared.string("Origin") or "AWS_KMS",
        "description": declared.string("Description") or "",
        "tags": declared.tags(),
        "multi_region": multi_region,
        "enabled": declared.flag("Enabled", True),
    }
    if declared.flag("EnableKeyRotation"):
        settings["rotation_period_in_days"] = declared.number("RotationPeriodInDays") or 365
    policy = declared.document(declared.properties.get("KeyPolicy"))
    made_up = key_id(declared.stack, declared.id, multi_region=multi_region)
    yield Key(declared.place, declared.stack, made_up, settings, policy)


def _replica(declared: Declared) -> Iterable[Item]:
    settings = {
        "description": declared.string("Description") or "",
        "tags": declared.tags(),
        "enabled": declared.flag("Enabled", True),
    }
    policy = declared.document(declared.properties.get("KeyPolicy"))
    yield Replica(declared.place, declared.stack, declared.string("PrimaryKeyArn") or "", settings, policy)


def _alias(declared: Declared) -> Iterable[Item]:
    yield Alias(declared.place, declared.stack, declared.name, declared.string("TargetKeyId") or "")


# --- IAM --------------------------------------------------------------------------------------------------------------


def _inline(declared: Declared) -> tuple[Document, ...]:
    found = []
    for policy in as_list(_unconditional(declared, declared.properties.get("Policies"))):
        policy = _unconditional(declared, policy)
        if isinstance(policy, dict):
            document = declared.document(policy.get("PolicyDocument"), line_of(policy))
            found += [] if document is None else [document]
    return tuple(found)


def _unconditional(declared: Declared, given: Any) -> Any:
    """Return the value that a condition selects, if there is one."""
    return declared.value(given) if function_of(given) else given


def _principal(kind: str) -> Callable[[Declared], Iterable[Item]]:
    def make(declared: Declared) -> Iterable[Item]:
        document = declared.document(declared.properties.get("AssumeRolePolicyDocument"))
        yield Principal(
            declared.place, declared.stack, kind, declared.name,
            arn(kind, declared.stack, declared.name, declared.path),
            _inline(declared), declared.strings("ManagedPolicyArns"), declared.string("PermissionsBoundary"),
            declared.strings("Groups") if kind == "user" else (), "" if document is None else document.text,
            declared.tags(),
        )  # fmt: skip

    return make


_ATTACHED_TO = (("role", "Roles"), ("user", "Users"), ("group", "Groups"))


def _policy(declared: Declared) -> Iterable[Item]:
    document = declared.document(declared.properties.get("PolicyDocument"))
    if document is not None:
        for kind, names in _ATTACHED_TO:
            for name in declared.strings(names):
                yield Attachment(declared.place, declared.stack, kind, name, document)


def _managed_policy(declared: Declared) -> Iterable[Item]:
    policy_arn = arn("policy", declared.stack, declared.name, declared.path)
    document = declared.document(declared.properties.get("PolicyDocument"))
    if document is None:
        return
    yield ManagedPolicy(declared.place, declared.stack, declared.name, policy_arn, document)
    for kind, names in _ATTACHED_TO:
        for name in declared.strings(names):
            yield Attachment(declared.place, declared.stack, kind, name, policy_arn)


def _policy_of(kind: str, named_by: str) -> Callable[[Declared], Iterable[Item]]:
    def make(declared: Declared) -> Iterable[Item]:
        document = declared.document(declared.properties.get("PolicyDocument"))
        if document is not None:
            yield Attachment(declared.place, declared.stack, kind, declared.string(named_by) or "", document)

    return make


def _members(declared: Declared) -> Iterable[Item]:
    yield Membership(declared.place, declared.stack, declared.string("GroupName") or "", declared.strings("Users"))


def _nothing(_declared: Declared) -> Iterable[Item]:
    return ()


#: Type -> the function that returns the records of a resource.
RESOURCES: Mapping[str, Callable[[Declared], Iterable[Item]]] = {
    "AWS::KMS::Key": _key,
    "AWS::KMS::ReplicaKey": _replica,
    "AWS::KMS::Alias": _alias,
    "AWS::IAM::Role": _principal("role"),
    "AWS::IAM::User": _principal("user"),
    "AWS::IAM::Group": _principal("group"),
    "AWS::IAM::Policy": _policy,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::RolePolicy": _policy_of("role", "RoleName"),
    "AWS::IAM::UserPolicy": _policy_of("user", "UserName"),
    "AWS::IAM::GroupPolicy": _policy_of("group", "GroupName"),
    "AWS::IAM::UserToGroupAddition": _members,
    # These do not affect permissions.
    "AWS::IAM::AccessKey": _nothing,
    "AWS::IAM::InstanceProfile": _nothing,
    "AWS::IAM::OIDCProvider": _nothing,
    "AWS::IAM::SAMLProvider": _nothing,
    "AWS::IAM::ServerCertificate": _nothing,
    "AWS::IAM::ServiceLinkedRole": _nothing,
    "AWS::IAM::VirtualMFADevice": _nothing,
}


def items_of(scope: StackScope) -> Iterable[Item]:
    """Yield the records of all resources of a stack; what is not understood is noted where it touches KMS or IAM."""
    for logical_id in scope.resources:
        declared = Declared(scope, logical_id)
        if declared.kind in RESOURCES:
            yield from RESOURCES[declared.kind](declared)
        elif declared.kind in OTHER_SERVICES:
            before = len(scope.stacks.unknowns)
            yield ServiceResource(declared.place, declared.stack, *OTHER_SERVICES[declared.kind](declared))
            # What a bucket or queue is called decides nothing about KMS.
            scope.stacks.unknowns[before:] = [
                unknown._replace(decides=False) for unknown in scope.stacks.unknowns[before:]
            ]
        elif declared.kind.startswith(OURS):
            declared.unknown(f"{declared.kind} is not supported: it has no effect here")
        elif mentions_kms(declared.properties) or _calls_kms(declared):
            declared.unknown(f"{declared.kind} affects permissions on KMS, and has no effect here")
        else:
            for name in sorted(_key_settings(declared.properties)):
                declared.unknown(f"{name} of {declared.kind} has no effect here", decides=False)


def _calls_kms(declared: Declared) -> bool:
    """Say whether a custom resource calls KMS, as CDK's `AwsCustomResource` can."""
    is_custom = declared.kind.startswith(("Custom::", "AWS::CloudFormation::CustomResource"))
    return is_custom and "kms" in json.dumps(declared.properties).lower()


def _key_settings(value: Any) -> set[str]:
    """Return the names of properties that are about KMS keys."""
    found: set[str] = set()
    if isinstance(value, dict):
        found = {name for name in value if "kms" in name.lower()}
        for item in value.values():
            found |= _key_settings(item)
    elif isinstance(value, list):
        for item in value:
            found |= _key_settings(item)
    return found
