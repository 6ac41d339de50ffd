"""Resources of other services in moto, created by calls of their APIs, without calls of KMS.

Roles and users are made there too, so that moto's STS gives out sessions of them. Their policies are the fake KMS's.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._moto.settings import is_active
from pytest_kmsmock._runtime.environment import DUMMY_ACCESS_KEY_ID, DUMMY_SECRET_ACCESS_KEY
from pytest_kmsmock._services.api import asking

from ..calls import Call, call
from ..model import Deployment, Item, Place, Principal, ServiceResource, Stack, Unknown

if TYPE_CHECKING:
    from botocore.client import BaseClient

#: Operations that refer to other resources, and come after them.
_DEPENDENT = ("Subscribe", "PutBucketNotificationConfiguration", "PutSecretValue", "PutBucketEncryption")
#: Errors that mean that a resource exists already.
_ALREADY_EXISTS = (
    "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "EntityAlreadyExists", "QueueAlreadyExists", "QueueNameExists",
    "ResourceAlreadyExistsException", "ResourceConflictException", "ResourceExistsException", "ResourceInUseException",
)  # fmt: skip
_TRUST = {"Version": "2012-10-17", "Statement": []}
_DUMMY = {"aws_access_key_id": DUMMY_ACCESS_KEY_ID, "aws_secret_access_key": DUMMY_SECRET_ACCESS_KEY}


def deploy_to_moto(deployments: Iterable[Deployment], account: str) -> list[Unknown]:
    """Create what moto does not have yet; nothing if moto is not active.

    Args:
        deployments: what files declare.
        account: the account of the default credentials.

    Returns:
        What moto does not take.
    """
    if not is_active():
        return []
    items = [item for deployment in deployments for item in deployment.items]
    making = _Deployer(account)
    token = asking.set(True)
    try:
        for place, stack, made in sorted(_calls(items), key=lambda each: each[2][1] in _DEPENDENT):
            making.run(place, stack, made)
    finally:
        asking.reset(token)
    return making.refused


def _calls(items: Iterable[Item]) -> Iterator[tuple[Place, Stack, Call]]:
    listed = list(items)
    for item in listed:
        if isinstance(item, Principal) and item.kind != "group":
            yield item.place, item.stack, _principal(item)
    for item in listed:
        if isinstance(item, ServiceResource):
            for made in item.calls:
                yield item.place, item.stack, made


def _principal(item: Principal) -> Call:
    path = f"/{item.arn.partition('/')[2].rpartition('/')[0]}/".replace("//", "/")
    if item.kind == "user":
        return call("iam", "CreateUser", UserName=item.name, Path=path)
    trust = item.trust or json.dumps(_TRUST)
    return call("iam", "CreateRole", RoleName=item.name, Path=path, AssumeRolePolicyDocument=trust)


class _Deployer:
    def __init__(self, account: str) -> None:
        self.account = account
        self.refused: list[Unknown] = []
        self._clients: dict[tuple[str, str, str], BaseClient] = {}
        self._credentials: dict[str, Mapping[str, str]] = {account: _DUMMY}

    def run(self, place: Place, stack: Stack, made: Call) -> None:
        """Make a call; what moto refuses is noted."""
        from botocore.exceptions import ClientError

        service, operation, params = made
        try:
            client = self._client(service, stack)
            client._make_api_call(operation, params)  # noqa: SLF001 - by its name
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _ALREADY_EXISTS:
                self._refused(place, f"moto refuses {service} {operation}: {error.response['Error']['Message']}")
        except Exception as error:  # what moto has not thought of fails in many ways
            self._refused(place, f"moto cannot create it: {service} {operation}: {error}")

    def _refused(self, place: Place, reason: str) -> None:
        self.refused.append(Unknown(place, reason, decides=False))

    def _client(self, service: str, stack: Stack) -> BaseClient:
        key = (service, stack.account, stack.region)
        if key not in self._clients:
            self._clients[key] = _new(service, stack.region, self._signing(stack))
        return self._clients[key]

    def _signing(self, stack: Stack) -> Mapping[str, str]:
        """Return credentials of an account: moto takes an account from the access key of a role's session."""
        if stack.account not in self._credentials:
            sts: Any = _new("sts", stack.region, _DUMMY)
            role = f"arn:{stack.partition}:iam::{stack.account}:role/pytest-kmsmock"
            given = sts.assume_role(RoleArn=role, RoleSessionName="deploy")["Credentials"]
            self._credentials[stack.account] = {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
        return self._credentials[stack.account]


def _new(service: str, region: str, signing: Mapping[str, str]) -> BaseClient:
    return _kept(service, region, tuple(signing.items()))


@functools.lru_cache(maxsize=32)  # making one reads the model of its service, which takes longer than all calls
def _kept(service: str, region: str, signing: tuple[tuple[str, str], ...]) -> BaseClient:
    from botocore.session import Session

    return Session().create_client(service, region, **dict(signing))
