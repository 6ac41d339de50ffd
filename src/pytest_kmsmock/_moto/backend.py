"""A replacement for `kms_backends[account][region]`, through which moto's other services use KMS.

EC2 and DynamoDB find their default keys there, RDS and SES look up keys, and the Resource Groups Tagging API lists and
tags them. While another KMS is active they get a backend with its keys; moto's own backends are not changed.
CloudFormation has resources of its own (`cloudformation`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.exceptions import JsonRESTError
from moto.kms import models

from pytest_kmsmock._record import Record

from .kms import Kms, Refused, pages

_MANAGED = "alias/aws/"
_KEY: Any = models.Key  # abstract, if one asks mypy


def install(kms: Kms) -> None:
    """Replace moto's KMS by another one while that is active."""
    backends = models.kms_backends
    if isinstance(backends, _Backends):
        return
    backends.__class__ = _Backends
    backends.__dict__["kms"] = kms


def install_tagging(api: ModuleType) -> None:
    """Add the keys to the Resource Groups Tagging API, also before anything in moto has used KMS.

    Args:
        api: the module `moto.resourcegroupstaggingapi.models`.
    """
    listed: Callable[..., Iterator[Any]] | None = getattr(api, "iter_taggable_backends", None)
    if listed is None or getattr(listed, "is_kms_hook", False):
        return

    def with_keys(account_id: str, region_name: str) -> Iterator[Any]:
        kms_backends: Any = models.kms_backends
        is_active = kms_backends.kms.is_active()
        if is_active:
            yield kms_backends[account_id][region_name]
        for backend in listed(account_id, region_name):
            if not (is_active and isinstance(backend, models.KmsBackend)):
                yield backend

    vars(with_keys)["is_kms_hook"] = True
    vars(api)["iter_taggable_backends"] = with_keys


class _Missing(JsonRESTError, KeyError):
    """What moto's backend raises for a key that does not exist is a `KeyError`: RDS expects one."""


class _Backends(BackendDict[Any]):
    """The class that moto's `kms_backends` gets."""

    kms: Kms

    def __getitem__(self, account_id: str) -> Any:
        return _Account(self.kms, account_id) if self.kms.is_active() else super().__getitem__(account_id)


class _Account:
    """The value of `kms_backends[account]`."""

    def __init__(self, kms: Kms, account: str) -> None:
        self._kms, self._account = kms, account
        self.regions: tuple[str, ...] = ()

    def __getitem__(self, region: str) -> Keys:
        return Keys(self._kms, self._account, region)

    def __contains__(self, region: object) -> bool:
        return True


class Alias(Record):
    """An alias with the attributes of moto's."""

    alias_arn: str
    alias_name: str
    target_key_id: str

    @classmethod
    def of(cls, key: Any, name: str) -> Alias:
        """Return an alias of a key."""
        return cls(f"{key.arn.partition(':key/')[0]}:{name}", name, key.id)


class Keys(models.KmsBackend):
    """A backend of moto's KMS with the keys of another KMS."""

    def __init__(self, kms: Kms, account: str, region: str) -> None:
        self._kms = kms
        super().__init__(region, account)

    def _call(self, operation: str, **params: object) -> Mapping[str, Any]:
        try:
            return self._kms.call(self.account_id, self.region_name, operation, **params)
        except Refused as refused:
            error = _Missing if refused.code == "NotFoundException" else JsonRESTError
            raise error(refused.code, refused.message) from None

    def _pages(self, operation: str, items: str, **params: object) -> list[Any]:
        return pages(self._kms, self.account_id, self.region_name, operation, items, **params)

    @property
    def keys(self) -> dict[str, Any]:
        """The keys by id, as moto's objects."""
        ids = [entry["KeyId"] for entry in self._pages("ListKeys", "Keys")]
        return {key_id: self.describe_key(key_id) for key_id in ids}

    @keys.setter
    def keys(self, keys: object) -> None:
        """Ignore moto's initial keys, which are none."""

    def describe_key(self, key_id: str) -> Any:
        """Return a key by id, ARN or alias; a key such as that of `alias/aws/ebs` is created on first use."""
        metadata = self._call("DescribeKey", KeyId=key_id)["KeyMetadata"]
        key = object.__new__(_KEY)  # not by moto's `__init__`, which makes a key
        rotates = metadata["KeySpec"] == "SYMMETRIC_DEFAULT" and metadata["Origin"] == "AWS_KMS"
        policy = self._call("GetKeyPolicy", KeyId=metadata["KeyId"])["Policy"]
        status = self._call("GetKeyRotationStatus", KeyId=metadata["KeyId"]) if rotates else {}
        vars(key).update(
            id=metadata["KeyId"],
            arn=metadata["Arn"],
            account_id=self.account_id,
            region=self.region_name,
            creation_date=metadata["CreationDate"].timestamp(),
            deletion_date=metadata.get("DeletionDate"),
            description=metadata["Description"],
            enabled=metadata["Enabled"],
            grants={},
            key_manager=metadata["KeyManager"],
            key_rotation_status=bool(status.get("KeyRotationEnabled")),
            key_spec=metadata["KeySpec"],
            key_state=metadata["KeyState"],
            key_usage=metadata["KeyUsage"],
            multi_region=metadata["MultiRegion"],
            multi_region_configuration=metadata.get("MultiRegionConfiguration", {}),
            origin=metadata["Origin"],
            policy=policy,
            rotations=[],
        )
        aliases = self._pages("ListAliases", "Aliases", KeyId=key.id)
        vars(key)["aliases"] = {entry["AliasName"]: Alias.of(key, entry["AliasName"]) for entry in aliases}
        return key

    def create_key(
        self, policy: str | None, key_usage: str | None, key_spec: str | None, description: str | None,
        tags: list[dict[str, str]] | None, multi_region: bool = False, origin: str = "AWS_KMS",
    ) -> Any:  # fmt: skip
        """Create a key."""
        made = self._call(
            "CreateKey", Policy=policy or None, KeyUsage=key_usage, KeySpec=key_spec, Description=description,
            Tags=tags or None, MultiRegion=multi_region, Origin=origin, BypassPolicyLockoutSafetyCheck=True,
        )  # fmt: skip
        return self.describe_key(made["KeyMetadata"]["KeyId"])

    def delete_key(self, key_id: str) -> None:
        """Schedule the deletion of a key; KMS deletes no key at once."""
        self._call("ScheduleKeyDeletion", KeyId=key_id)

    def alias_exists(self, alias_name: str) -> bool:
        """Say whether an alias exists; those of AWS services always do."""
        return alias_name.startswith(_MANAGED) or any(
            entry["AliasName"] == alias_name for entry in self._pages("ListAliases", "Aliases")
        )

    def create_alias(self, target_key_id: str, alias_name: str) -> Any:
        """Create an alias."""
        self._call("CreateAlias", AliasName=alias_name, TargetKeyId=target_key_id)
        return Alias.of(self.describe_key(target_key_id), alias_name)

    def update_alias(self, target_key_id: str, alias_name: str) -> Any:
        """Change the key of an alias."""
        self._call("UpdateAlias", AliasName=alias_name, TargetKeyId=target_key_id)
        return Alias.of(self.describe_key(target_key_id), alias_name)

    def delete_alias(self, alias_name: str) -> None:
        """Delete an alias."""
        self._call("DeleteAlias", AliasName=alias_name)

    def list_aliases(self, key_id: str | None = None) -> Iterator[Any]:
        """Yield the aliases, or those of a key."""
        for key in self.keys.values():
            if key_id in (None, key.id):
                yield from key.aliases.values()

    def get_key_id_from_alias(self, alias_name: str) -> str | None:
        """Return the id of an alias's key."""
        key_id: str = self._call("DescribeKey", KeyId=alias_name)["KeyMetadata"]["KeyId"]
        return key_id

    def list_resource_tags(self, key_id_or_arn: str) -> dict[str, list[dict[str, str]]]:
        """Return the tags of a key."""
        return {"Tags": self._pages("ListResourceTags", "Tags", KeyId=key_id_or_arn)}

    def iter_tagged_resources(self) -> Iterator[Any]:
        """Yield the keys with their tags, for the Resource Groups Tagging API."""
        from moto.core.resource_tagging import TaggedResource as tagged  # noqa: N813 - moto before 5.2 has none

        for entry in self._pages("ListKeys", "Keys"):
            if self._call("DescribeKey", KeyId=entry["KeyId"])["KeyMetadata"]["KeyManager"] == "CUSTOMER":
                tags = self._pages("ListResourceTags", "Tags", KeyId=entry["KeyId"])
                yield tagged(
                    arn=entry["KeyArn"],
                    tags={tag["TagKey"]: tag["TagValue"] for tag in tags},
                    resource_type="kms:key",
                )

    def tag_resource(self, arn: str, tags: Mapping[str, str]) -> None:
        """Tag a key by the Resource Groups Tagging API."""
        listed = [{"TagKey": name, "TagValue": value} for name, value in tags.items()]
        self._call("TagResource", KeyId=arn, Tags=listed)

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        """Untag a key by the Resource Groups Tagging API."""
        self._call("UntagResource", KeyId=arn, TagKeys=tag_keys)
