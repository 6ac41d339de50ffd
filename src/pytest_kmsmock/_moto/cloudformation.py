"""Resources of moto's CloudFormation that are KMS's: `AWS::KMS::Key`, `AWS::KMS::ReplicaKey` and `AWS::KMS::Alias`.

While another KMS is active they are created, updated and deleted there, with all properties of the resource types;
moto's own support some of them. Sources: the reference of each type, such as
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
"""

from __future__ import annotations

import functools
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError

from .kms import Kms, Refused, pages

#: Immutable properties: "the update request fails" if a template changes one.
_FIXED = ("KeySpec", "KeyUsage", "MultiRegion", "Origin", "PrimaryKeyArn")


def install(parsing: ModuleType, kms: Kms) -> None:
    """Create CloudFormation's KMS resources in another KMS while that is active.

    Args:
        parsing: the module `moto.cloudformation.parsing`.
        kms: the other KMS.
    """
    find = parsing.resource_class_from_type
    if getattr(find, "is_kms_hook", False):
        return
    ours = {kind.resource_type: type(kind.__name__, (kind,), {"kms": kms}) for kind in (Key, ReplicaKey, Alias)}

    @functools.wraps(find)
    def find_unless_elsewhere(resource_type: str) -> Any:
        return ours[resource_type] if resource_type in ours and kms.is_active() else find(resource_type)

    vars(find_unless_elsewhere)["is_kms_hook"] = True
    vars(parsing)["resource_class_from_type"] = find_unless_elsewhere


class _Resource(ABC):
    """A resource of a stack, as moto's CloudFormation handles it.

    Args:
        properties: its properties in the template.
        account: the account of the stack.
        region: the Region of the stack.
        physical_resource_id: the value of `Ref`.
    """

    kms: ClassVar[Kms]
    resource_type: ClassVar[str]
    attributes: ClassVar[tuple[str, ...]] = ()
    cf_resource_type: str
    logical_resource_id: str

    def __init__(self, properties: Mapping[str, Any], account: str, region: str, physical_resource_id: str) -> None:
        self.properties = properties
        self.account = account
        self.region = region
        self.physical_resource_id = physical_resource_id

    def is_created(self) -> bool:
        """Say that the resource is complete."""
        return True

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Say whether `Fn::GetAtt` has an attribute."""
        return attr in cls.attributes

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Return the value of `Fn::GetAtt`."""
        if attribute_name not in self.attributes:
            raise UnformattedGetAttTemplateException
        key_id = self.physical_resource_id
        return key_id if attribute_name == "KeyId" else str(self.metadata()["Arn"])

    def metadata(self) -> Mapping[str, Any]:
        """Return the metadata of DescribeKey."""
        metadata: Mapping[str, Any] = self.call("DescribeKey", KeyId=self.physical_resource_id)["KeyMetadata"]
        return metadata

    def call(self, operation: str, **params: object) -> Mapping[str, Any]:
        """Call KMS in the Region of the stack."""
        return self.call_in(self.account, self.region, operation, **params)

    @classmethod
    def call_in(cls, account: str, region: str, operation: str, **params: object) -> Mapping[str, Any]:
        """Call KMS.

        Raises:
            ValidationError: KMS refuses.
        """
        try:
            return cls.kms.call(account, region, operation, **params)
        except Refused as refused:
            raise ValidationError(message=f"{cls.resource_type}: {refused.message} ({refused.code})") from None

    @classmethod
    def create_from_cloudformation_json(
        cls, _resource_name: str, cloudformation_json: Mapping[str, Any], account_id: str, region_name: str, **_: Any
    ) -> _Resource:  # fmt: skip
        """Create the resource."""
        return cls.create(cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    @abstractmethod
    def create(cls, properties: Mapping[str, Any], account: str, region: str) -> _Resource:
        """Create the resource."""

    @classmethod
    def update_from_cloudformation_json(
        cls, *, original_resource: _Resource, cloudformation_json: Mapping[str, Any], **_: Any
    ) -> _Resource:  # fmt: skip
        """Update the resource, or replace it if the type requires that."""
        return original_resource.change(cloudformation_json["Properties"])

    @abstractmethod
    def change(self, properties: Mapping[str, Any]) -> _Resource:
        """Give the resource other properties."""


class Key(_Resource):
    """`AWS::KMS::Key`."""

    resource_type = "AWS::KMS::Key"
    attributes = ("Arn", "KeyId")

    @classmethod
    def create(cls, properties: Mapping[str, Any], account: str, region: str) -> Key:
        """Make a key with all its properties."""
        made = cls.call_in(
            account, region, "CreateKey", BypassPolicyLockoutSafetyCheck=True,
            Description=properties.get("Description"), KeySpec=properties.get("KeySpec"),
            KeyUsage=properties.get("KeyUsage"), MultiRegion=_truth(properties.get("MultiRegion")),
            Origin=properties.get("Origin"), Policy=_text(properties.get("KeyPolicy")), Tags=_tags(properties),
        )  # fmt: skip
        key = cls(properties, account, region, made["KeyMetadata"]["KeyId"])
        key.switch({}, properties)
        return key

    def change(self, properties: Mapping[str, Any]) -> Key:
        """Change what may be changed of a key."""
        before, key_id = self.properties, self.physical_resource_id
        changed = [name for name in _FIXED if before.get(name) != properties.get(name)]
        if changed:
            raise ValidationError(message=f"{self.resource_type}: {changed[0]} cannot be changed after creation.")
        if before.get("Description") != properties.get("Description"):
            self.call("UpdateKeyDescription", KeyId=key_id, Description=properties.get("Description") or "")
        policy = _text(properties.get("KeyPolicy"))
        if policy is not None and policy != _text(before.get("KeyPolicy")):
            self.call("PutKeyPolicy", KeyId=key_id, Policy=policy, BypassPolicyLockoutSafetyCheck=True)
        self.retag(before, properties)
        self.switch(before, properties)
        self.properties = properties
        return self

    def retag(self, before: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
        """Take away the tags that the template has no more, and put those that it has."""
        kept = {tag["TagKey"] for tag in _tags(properties) or ()}
        gone = [tag["TagKey"] for tag in _tags(before) or () if tag["TagKey"] not in kept]
        if gone:
            self.call("UntagResource", KeyId=self.physical_resource_id, TagKeys=gone)
        if kept:
            self.call("TagResource", KeyId=self.physical_resource_id, Tags=_tags(properties))

    def switch(self, before: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
        """Enable or disable the key and its rotation."""
        key_id = self.physical_resource_id
        was_rotated, rotated = (bool(_truth(each.get("EnableKeyRotation"))) for each in (before, properties))
        periods = (before.get("RotationPeriodInDays"), properties.get("RotationPeriodInDays"))
        was_enabled, enabled = (_truth(each.get("Enabled", True)) for each in (before, properties))
        if enabled and not was_enabled:
            self.call("EnableKey", KeyId=key_id)
        if rotated and (not was_rotated or periods[0] != periods[1]):
            period = None if periods[1] is None else int(periods[1])
            self.call("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=period)
        elif was_rotated and not rotated:
            self.call("DisableKeyRotation", KeyId=key_id)
        if was_enabled and not enabled:
            self.call("DisableKey", KeyId=key_id)

    def delete(self, _account_id: str, _region_name: str) -> None:
        """Schedule the deletion of the key, as CloudFormation does, if it is not scheduled already."""
        if self.metadata()["KeyState"] != "PendingDeletion":
            window = int(self.properties.get("PendingWindowInDays", 30))
            self.call("ScheduleKeyDeletion", KeyId=self.physical_resource_id, PendingWindowInDays=window)


class ReplicaKey(Key):
    """`AWS::KMS::ReplicaKey`."""

    resource_type = "AWS::KMS::ReplicaKey"

    @classmethod
    def create(cls, properties: Mapping[str, Any], account: str, region: str) -> ReplicaKey:
        """Make a replica of a primary key of another Region, in the Region of the stack."""
        primary = str(properties["PrimaryKeyArn"])
        home = primary.split(":")[3] if primary.count(":") > 4 else region
        made = cls.call_in(
            account, home, "ReplicateKey", KeyId=primary, ReplicaRegion=region, BypassPolicyLockoutSafetyCheck=True,
            Description=properties.get("Description"), Policy=_text(properties.get("KeyPolicy")),
            Tags=_tags(properties),
        )  # fmt: skip
        key = cls(properties, account, region, made["ReplicaKeyMetadata"]["KeyId"])
        key.switch({}, properties)
        return key


class Alias(_Resource):
    """`AWS::KMS::Alias`."""

    resource_type = "AWS::KMS::Alias"

    @classmethod
    def create(cls, properties: Mapping[str, Any], account: str, region: str) -> Alias:
        """Make an alias."""
        name, target = properties["AliasName"], properties["TargetKeyId"]
        cls.call_in(account, region, "CreateAlias", AliasName=name, TargetKeyId=target)
        return cls(properties, account, region, name)

    def change(self, properties: Mapping[str, Any]) -> Alias:
        """Let the alias stand for another key; another name is another alias."""
        if properties["AliasName"] != self.physical_resource_id:
            made = self.create(properties, self.account, self.region)
            self.delete(self.account, self.region)
            return made
        self.call("UpdateAlias", AliasName=self.physical_resource_id, TargetKeyId=properties["TargetKeyId"])
        self.properties = properties
        return self

    def delete(self, _account_id: str, _region_name: str) -> None:
        """Delete the alias, if its key still has it."""
        names = [entry["AliasName"] for entry in pages(self.kms, self.account, self.region, "ListAliases", "Aliases")]
        if self.physical_resource_id in names:
            self.call("DeleteAlias", AliasName=self.physical_resource_id)


def _truth(value: object) -> bool | None:
    """Return a boolean of a template, which may be text; None stays None."""
    return value.lower() == "true" if isinstance(value, str) else value if value is None else bool(value)


def _text(policy: object) -> str | None:
    return policy if policy is None or isinstance(policy, str) else json.dumps(policy)


def _tags(properties: Mapping[str, Any]) -> list[dict[str, str]] | None:
    return [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags") or ()] or None
