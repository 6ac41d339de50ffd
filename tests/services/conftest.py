"""moto beside the mock, an application with a role, and what can be wrong between the role and a key."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pytest_kmsmock import KmsMock

ACCOUNT, OTHER_ACCOUNT, REGION = "123456789012", "999999999999", "us-east-1"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pytest-kmsmock"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ALL_BUT_KMS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}]}


@pytest.fixture
def aws() -> Iterator[None]:
    """moto, entered before the mock if a test asks for it first."""
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


@pytest.fixture(params=["moto outside", "moto inside"])
def beside(request: pytest.FixtureRequest) -> KmsMock:
    """The mock beside moto, nested either way."""
    names = ["aws", "kms_mock"] if request.param == "moto outside" else ["kms_mock", "aws"]
    return {name: request.getfixturevalue(name) for name in names}["kms_mock"]


def key_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Resource": "*", **statement} for statement in statements]}


def allow(principal: object, condition: dict[str, Any] | None = None, action: object = "kms:*") -> dict[str, Any]:
    who = principal if isinstance(principal, dict) else {"AWS": principal}
    statement = {"Effect": "Allow", "Principal": who, "Action": action, "Resource": "*"}
    return statement if condition is None else statement | {"Condition": condition}


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/Administrator"
OTHER_ROOT = f"arn:aws:iam::{OTHER_ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"


@dataclass(frozen=True)
class Situation:
    """What is between the role and the key.

    Attributes:
        key: makes the key and returns how it is named; None if nothing can be written in this situation.
        spoil: makes a key unusable after something was written; None if that cannot happen.
        code: KMS's error code; None if it is allowed.
        message: KMS's message, with `{action}`, `{arn}` and `{user}`.
        identity: the identity policy of the role.
        elsewhere: operation -> code and message, where they differ; None for an operation that is allowed.
        account: the account of the key.
    """

    key: Callable[[KmsMock, str], str] | None
    spoil: Callable[[KmsMock, str, str], object] | None
    code: str | None = None
    message: str = ""
    identity: dict[str, Any] | None = None
    elsewhere: Mapping[str, tuple[str, str] | None] = field(default_factory=dict)
    account: str = ACCOUNT


def _plain(kms: KmsMock, _service: str) -> str:
    return kms.create_key(alias="alias/app").arn


def _nothing(_kms: KmsMock, _arn: str, _service: str) -> None:
    pass


def _put(policy: Callable[[str], dict[str, Any]]) -> Callable[[KmsMock, str, str], object]:
    def spoil(kms: KmsMock, arn: str, service: str) -> None:
        kms.client().put_key_policy(KeyId=arn, Policy=json.dumps(policy(service)))

    return spoil


def _with(policy: Callable[[str], dict[str, Any]]) -> Callable[[KmsMock, str], str]:
    return lambda kms, service: kms.create_key(policy=policy(service)).arn


def _administered(*statements: dict[str, Any]) -> dict[str, Any]:
    return key_policy(allow(ADMINISTRATOR), *statements)


def _via(region: str) -> Callable[[str], dict[str, Any]]:
    return lambda service: _administered(
        allow(ROLE, {"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}})
    )


def _denied(_service: str) -> dict[str, Any]:
    return key_policy(allow(ROOT), {"Effect": "Deny", "Principal": {"AWS": ROLE}, "Action": "kms:*"})


#: Service -> what the encryption context of the tests' resources is like: a name and a pattern. Facts of each module.
CONTEXTS = {
    "dynamodb": ("aws:dynamodb:tableName", "orders"),
    "ecr": ("aws:ecr:arn", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app"),
    "elasticfilesystem": ("aws:elasticfilesystem:filesystem:id", "fs-*"),
    "events": ("aws:events:event-bus:arn", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders"),
    "kinesis": ("aws:kinesis:arn", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"),
    "lambda": ("aws:lambda:FunctionArn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker"),
    "rds": ("aws:rds:db-id", "*"),
    "redshift": ("aws:redshift:arn", f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:dw"),
    "s3": ("aws:s3:arn", "arn:aws:s3:::documents/*"),
    "secretsmanager": ("SecretARN", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-*"),
    "sns": ("aws:sns:topicArn", f"arn:aws:sns:{REGION}:{ACCOUNT}:events"),
    "sqs": ("aws:sqs:arn", f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"),
    "ssm": ("PARAMETER_ARN", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/db/*"),
    "states": ("aws:states:stateMachineArn", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders"),
}


def _context(*, fits: bool) -> Callable[[str], dict[str, Any]]:
    def policy(service: str) -> dict[str, Any]:
        name, pattern = CONTEXTS[service]
        condition = {"StringLike": {f"kms:EncryptionContext:{name}": pattern if fits else "another"}}
        return _administered(allow(ROLE, None, "kms:DescribeKey"), allow(ROLE, condition))

    return policy


def _delete(kms: KmsMock, arn: str, _service: str) -> None:
    kms.client().schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    kms.clock.advance(timedelta(days=8))


def _foreign(kms: KmsMock, _service: str) -> str:
    return kms.create_key(account=OTHER_ACCOUNT).arn


def _forbid(kms: KmsMock, arn: str, _service: str) -> None:
    owner = kms.client(**kms.credentials(OTHER_ROOT))
    owner.put_key_policy(KeyId=arn, Policy=json.dumps(key_policy(allow(OTHER_ROOT))))


DENIED = "User: {user} is not authorized to perform: {action} "
NO_RESOURCE_POLICY = DENIED + "on resource: {arn} because no resource-based policy allows the {action} action"
OUT_OF_SIGHT = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based "
    "policy explicitly denies access"
)
MISSING = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555"

DESCRIBED: Mapping[str, None] = {"DescribeKey": None}
#: Sources of KMS's messages: captured from AWS (S3, SQS, SNS, Lambda), 2025 and 2026; of codes, KMS's API reference.
SITUATIONS: dict[str, Situation] = {
    "allowed": Situation(_plain, _nothing),
    "by alias": Situation(lambda kms, _: (kms.create_key(alias="alias/app"), "alias/app")[1], None),
    "by alias ARN": Situation(
        lambda kms, _: (kms.create_key(alias="alias/app"), f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/app")[1], None
    ),
    "by key id": Situation(lambda kms, _: kms.create_key().id, None),
    "through the service, in its Region": Situation(_with(_via(REGION)), _put(_via(REGION))),
    "through the service, in another Region": Situation(
        _with(_via("eu-west-1")), _put(_via("eu-west-1")), "AccessDeniedException", NO_RESOURCE_POLICY
    ),
    "no identity permission": Situation(
        _plain, _nothing, "AccessDeniedException",
        DENIED + "on resource: {arn} because no identity-based policy allows the {action} action", ALL_BUT_KMS,
    ),
    "key policy without the role": Situation(
        _with(lambda _: _administered()), _put(lambda _: _administered()), "AccessDeniedException", NO_RESOURCE_POLICY
    ),
    "denied by the key policy": Situation(
        _with(_denied), _put(_denied), "AccessDeniedException",
        DENIED + "on resource: {arn} with an explicit deny in a resource-based policy",
    ),
    "denied by an identity policy": Situation(
        _plain, _nothing, "AccessDeniedException",
        DENIED + "on resource: {arn} with an explicit deny in an identity-based policy",
        {"Version": "2012-10-17", "Statement": [*EVERYTHING["Statement"],
                                                {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}]},
    ),
    "in an encryption context that fits": Situation(_with(_context(fits=True)), _put(_context(fits=True))),
    "in another encryption context": Situation(
        _with(_context(fits=False)), _put(_context(fits=False)), "AccessDeniedException", NO_RESOURCE_POLICY,
        elsewhere=DESCRIBED,
    ),
    "disabled": Situation(
        lambda kms, _: kms.create_key(enabled=False).arn,
        lambda kms, arn, _: kms.client().disable_key(KeyId=arn),
        "DisabledException", "{arn} is disabled.", elsewhere=DESCRIBED,
    ),
    "pending deletion": Situation(
        lambda kms, _: kms.create_key(pending_window_in_days=7).arn,
        lambda kms, arn, _: kms.client().schedule_key_deletion(KeyId=arn),
        "KMSInvalidStateException", "{arn} is pending deletion.", elsewhere=DESCRIBED,
    ),
    "missing key": Situation(lambda *_: MISSING, None, "NotFoundException", "Key '{arn}' does not exist"),
    "missing alias": Situation(
        lambda *_: "alias/none", None, "NotFoundException",
        f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/none is not found.",
    ),
    "key of another account": Situation(
        _foreign, _forbid, "AccessDeniedException", DENIED + "on this resource " + OUT_OF_SIGHT,
        elsewhere={
            "Decrypt": (
                "AccessDeniedException", DENIED + "on the resource associated with this ciphertext " + OUT_OF_SIGHT
            )
        },
        account=OTHER_ACCOUNT,
    ),
    "deleted key": Situation(
        None, _delete, "AccessDeniedException",
        DENIED + "on the resource associated with this ciphertext " + OUT_OF_SIGHT,
        elsewhere={"GenerateDataKey": ("NotFoundException", "Key '{arn}' does not exist")},
    ),
    "asymmetric key": Situation(
        lambda kms, _: kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT").arn, None,
        "InvalidKeyUsageException", "You cannot generate a data key with an asymmetric CMK",
        elsewhere={
            **DESCRIBED,
            "Encrypt": (
                "InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."
            ),
            "CreateGrant": (
                "ValidationException",
                "Operations [{data_key}] are not supported when creating a grant for an asymmetric KMS key with key "
                "usage ENCRYPT_DECRYPT. Valid operations are [CreateGrant, RetireGrant, DescribeKey, Decrypt, Encrypt, "
                "ReEncryptFrom, ReEncryptTo, GetPublicKey]",
            ),
        },
    ),
    "throttled": Situation(
        _plain, lambda kms, _arn, _service: kms.faults.add(error="ThrottlingException"), "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A situation, ready to be met through a service."""

    kms: KmsMock
    situation: Situation
    service: str
    key: str

    def as_role(self):
        """Act as the role of the application."""
        self.kms.iam.attach("role/app", self.situation.identity or EVERYTHING)
        return self.kms.as_principal("role/app")

    def refused(self, *operations: str) -> str | None:
        """Return the first of some operations that KMS refuses; None if it allows all."""
        if self.situation.code is None:
            return None
        return next((name for name in operations if self.situation.elsewhere.get(name, ()) is not None), None)

    def error(self, operation: str) -> tuple[str, str]:
        """Return KMS's code and message for an operation that it refuses."""
        assert self.situation.code is not None
        code, text = self.situation.elsewhere.get(operation) or (self.situation.code, self.situation.message)
        data_key = "GenerateDataKey" + ("WithoutPlaintext" if self.service == "elasticfilesystem" else "")
        return code, text.format(user=SESSION, action=f"kms:{operation}", arn=self.key, data_key=data_key)

    def message(self, operation: str) -> str:
        """Return KMS's message for an operation that it refuses."""
        return self.error(operation)[1]


@functools.cache
def _session() -> boto3.Session:
    """Return one session for all tests: the model of S3 alone takes a tenth of a second to load."""
    return boto3.Session()


class World:
    """moto and the mock side by side, with an application that acts as `role/app`."""

    ACCOUNT, OTHER_ACCOUNT, REGION = ACCOUNT, OTHER_ACCOUNT, REGION
    ROLE, ROOT, SESSION, ADMINISTRATOR = ROLE, ROOT, SESSION, ADMINISTRATOR
    EVERYTHING, ALL_BUT_KMS, OUT_OF_SIGHT = EVERYTHING, ALL_BUT_KMS, OUT_OF_SIGHT
    allow, key_policy, administered = staticmethod(allow), staticmethod(key_policy), staticmethod(_administered)

    def __init__(self, kms: KmsMock) -> None:
        self.kms = kms

    def writing(self, name: str, service: str) -> Case:
        """Return a situation that is there when something is written."""
        situation = SITUATIONS[name]
        assert situation.key is not None
        key = situation.key(self.kms, service)
        if situation.code == "ThrottlingException":
            self.spoil(name, key, service)
        return Case(self.kms, situation, service, key)

    def key(self, name: str) -> str:
        """Return the ARN of a key that is usable until the situation comes up."""
        account = SITUATIONS[name].account
        if account == ACCOUNT:
            return self.kms.create_key().arn
        owner = f"arn:aws:iam::{account}:root"
        return self.kms.create_key(account=account, policy=key_policy(*map(allow, (owner, ROOT, ROLE)))).arn

    def spoil(self, name: str, arn: str, service: str) -> Case:
        """Return a situation that came up after something was written under a key."""
        situation = SITUATIONS[name]
        assert situation.spoil is not None
        situation.spoil(self.kms, arn, service)
        return Case(self.kms, situation, service, arn)

    def as_role(self, policy: dict[str, Any] = EVERYTHING) -> Any:
        """Act as the role of the application, with an identity policy."""
        self.kms.iam.attach("role/app", policy)
        return self.kms.as_principal("role/app")

    def client(self, service: str, region: str = REGION, **arguments: Any) -> Any:
        return _session().client(service, region_name=region, **arguments)

    @staticmethod
    def error_of(denied: pytest.ExceptionInfo[ClientError]) -> tuple[str, int, str]:
        """Return code, status and message of an error."""
        response = denied.value.response
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]

    def made(self) -> list[tuple[str, str | None]]:
        """Return the KMS calls that services made, with the services."""
        return [(call.operation, call.caller.forwarding_service) for call in self.kms.calls if call.caller.via]


@pytest.fixture
def world(aws: None, kms_mock: KmsMock) -> World:
    """moto outside, the mock inside."""
    return World(kms_mock)


@pytest.fixture
def either_world(beside: KmsMock) -> World:
    """The same, nested either way."""
    return World(beside)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of what is written and of what is read in every situation."""
    if "write_situation" in metafunc.fixturenames:
        metafunc.parametrize("write_situation", [name for name, each in SITUATIONS.items() if each.key is not None])
    if "read_situation" in metafunc.fixturenames:
        metafunc.parametrize("read_situation", [name for name, each in SITUATIONS.items() if each.spoil is not None])
