"""Secrets of Secrets Manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_kmsmock._record import Record

from . import Api, account_of, read


class Secret(Record):
    """A secret.

    Attributes:
        arn: its ARN.
        key: its `KmsKeyId`; empty for the AWS managed key.
        versions: id of each version -> its stages.
    """

    arn: str
    key: str
    versions: Mapping[str, tuple[str, ...]]


def secret(api: Api, access_key: str | None, region: str, identifier: str) -> Secret | None:
    """Return a secret; None if there is none, or it is being deleted.

    Args:
        api: calls Secrets Manager.
        access_key: the access key of who asks, which says whose account moto looks into.
        region: the Region.
        identifier: its name or ARN.
    """
    return read(lambda: _moto_secret(account_of(access_key), region, identifier), lambda: _api_secret(api, identifier))


def _moto_secret(account: str, region: str, identifier: str) -> Secret | None:
    from moto.secretsmanager.models import secretsmanager_backends

    found: Any = secretsmanager_backends[account][region].secrets.get(identifier)
    if found is None or found.is_deleted():
        return None
    # a replica has its key in its settings
    key = found.config.get("KmsKeyId") if hasattr(found, "config") else found.kms_key_id
    versions = {name: tuple(version["version_stages"]) for name, version in found.versions.items()}
    return Secret(found.arn, "" if key == "alias/aws/secretsmanager" else key or "", versions)


def _api_secret(api: Api, identifier: str) -> Secret | None:
    answer = api("DescribeSecret", SecretId=identifier)
    if "Error" in answer or "DeletedDate" in answer:
        return None
    stages = answer.get("VersionIdsToStages", {})
    return Secret(answer["ARN"], answer.get("KmsKeyId", ""), {name: tuple(each) for name, each in stages.items()})


def configure_replica(access_key: str | None, region: str, arn: str, configuration: Mapping[str, str]) -> None:
    """Change the settings of a replica: moto ignores its key.

    Args:
        access_key: the access key of who asks.
        region: the Region of the replica.
        arn: the ARN of the replica.
        configuration: its `KmsKeyId`, `Status` or `StatusMessage`.
    """

    def inside() -> None:
        from moto.secretsmanager.models import secretsmanager_backends

        found: Any = secretsmanager_backends[account_of(access_key)][region].secrets.get(arn)
        found.config.update(configuration)

    read(inside, lambda: None)
