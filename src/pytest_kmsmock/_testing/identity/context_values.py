"""Condition keys that tests set for requests: known keys and the forms of their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TypeAlias

from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._kms.permissions.condition_keys import CONDITION_KEYS, find_row
from pytest_kmsmock._kms.permissions.condition_values import condition_string
from pytest_kmsmock._kms.policy.conditions.operators import OPERATORS, is_arn, read_address
from pytest_kmsmock._kms.policy.patterns import MULTIVALUED
from pytest_kmsmock._kms.policy.principals import SERVICE_NAME
from pytest_kmsmock._runtime.checks import ACCOUNT_ID, REGION, did_you_mean
from pytest_kmsmock.errors import InvalidPrincipal, InvalidSimulation

#: A single value of a condition key.
ContextValue: TypeAlias = "str | bool | int | float | datetime"
_VALUE_TYPES = (str, bool, int, float, datetime)

#: The form of a value: a regular expression and a description.
Form: TypeAlias = "tuple[str, str]"
ACCOUNT: Form = (ACCOUNT_ID, "the id of an account, 12 digits")
ORGANIZATION: Form = (r"o-[a-z0-9]+", "the id of an organization, such as 'o-a1b2c3d4e5'")
VPC: Form = (r"vpc-[0-9a-z]+", "the id of a VPC, such as 'vpc-1234abcd5678ef90a'")
VPC_ENDPOINT: Form = (r"vpce-[0-9a-z]+", "the id of a VPC endpoint, such as 'vpce-1234abcd5678ef90a'")
_PATH: Form = (
    r"o-[a-z0-9]+/(r-[a-z0-9]+/(ou-[a-z0-9-]+/)*)?",
    "a path in an organization, such as 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/'",
)
_SERVICE: Form = (SERVICE_NAME, "the name of a service, such as 's3.amazonaws.com'")
_VIA: Form = (
    r"[a-z0-9-]+\.[a-z0-9-]+\.amazonaws\.com(\.cn)?",
    "the name of a service in a Region, such as 's3.us-east-1.amazonaws.com'",
)
_REGION: Form = (REGION, "a Region such as 'eu-west-1'")
_ALIAS: Form = (r"alias/.+", "the name of an alias, such as 'alias/app'")
_BOOLEAN: Form = ("true|false", "true or false")
_PRINCIPAL_TYPES: Form = (
    "Account|User|FederatedUser|AssumedRole|Anonymous",
    "one of Account, User, FederatedUser, AssumedRole, Anonymous",
)
_MULTI_REGION: Form = ("PRIMARY|REPLICA", "PRIMARY or REPLICA")


def is_address(text: str) -> bool:
    """Say whether a string is an IP address."""
    return read_address(text) is not None


def _stored(operator: str, text: str) -> bool:
    stored = OPERATORS[operator].stored
    return stored is not None and stored(text)


#: Forms that need more than a pattern.
_ARN = (is_arn, "an ARN")
_ADDRESS = (is_address, "an IP address")
_NUMBER = (partial(_stored, "NumericEquals"), "a number")
_TIME = (partial(_stored, "DateEquals"), "a time, such as '2030-01-31T12:00:00Z'")

_FORMS: Mapping[str, Form | tuple[Callable[[str], bool], str]] = {
    "aws:AssumedRoot": _BOOLEAN, "aws:CalledVia": _SERVICE, "aws:CalledViaAWSMCP": _SERVICE,
    "aws:CalledViaFirst": _SERVICE, "aws:CalledViaLast": _SERVICE, "aws:ChatbotSourceArn": _ARN,
    "aws:CurrentTime": _TIME, "aws:Ec2InstanceSourcePrivateIPv4": _ADDRESS, "aws:Ec2InstanceSourceVpc": VPC,
    "aws:EpochTime": _TIME, "aws:IsMcpServiceAction": _BOOLEAN, "aws:MultiFactorAuthAge": _NUMBER,
    "aws:MultiFactorAuthPresent": _BOOLEAN, "aws:PrincipalAccount": ACCOUNT, "aws:PrincipalArn": _ARN,
    "aws:PrincipalIsAWSService": _BOOLEAN, "aws:PrincipalOrgID": ORGANIZATION, "aws:PrincipalOrgPaths": _PATH,
    "aws:PrincipalServiceName": _SERVICE, "aws:PrincipalServiceNamesList": _SERVICE,
    "aws:PrincipalType": _PRINCIPAL_TYPES, "aws:RequestedRegion": _REGION, "aws:ResourceAccount": ACCOUNT,
    "aws:ResourceOrgID": ORGANIZATION, "aws:ResourceOrgPaths": _PATH, "aws:SecureTransport": _BOOLEAN,
    "aws:SignInSessionArn": _ARN, "aws:SourceAccount": ACCOUNT, "aws:SourceArn": _ARN, "aws:SourceIp": _ADDRESS,
    "aws:SourceOrgID": ORGANIZATION, "aws:SourceOrgPaths": _PATH, "aws:SourceVpc": VPC, "aws:SourceVpcArn": _ARN,
    "aws:SourceVpce": VPC_ENDPOINT, "aws:TokenIssueTime": _TIME, "aws:ViaAWSMCPService": _BOOLEAN,
    "aws:ViaAWSService": _BOOLEAN, "aws:VpceAccount": ACCOUNT, "aws:VpceOrgID": ORGANIZATION, "aws:VpceOrgPaths": _PATH,
    "aws:VpcSourceIp": _ADDRESS, "kms:BypassPolicyLockoutSafetyCheck": _BOOLEAN, "kms:CallerAccount": ACCOUNT,
    "kms:GrantConstraintSourceArn": _ARN, "kms:GrantIsForAWSResource": _BOOLEAN, "kms:MultiRegion": _BOOLEAN,
    "kms:MultiRegionKeyType": _MULTI_REGION, "kms:PrimaryRegion": _REGION, "kms:ReEncryptOnSameKey": _BOOLEAN,
    "kms:ReplicaRegion": _REGION, "kms:RequestAlias": _ALIAS, "kms:ResourceAliases": _ALIAS,
    "kms:RotationPeriodInDays": _NUMBER, "kms:ScheduleKeyDeletionPendingWindowInDays": _NUMBER,
    "kms:TrailingDaysWithoutKeyUsage": _NUMBER, "kms:ValidTo": _TIME, "kms:ViaService": _VIA,
}  # fmt: skip
#: Condition key -> the shape of KMS's service model that lists its values.
_ENUMERATIONS: Mapping[str, str] = {
    "kms:CustomerMasterKeySpec": "KeySpec", "kms:CustomerMasterKeyUsage": "KeyUsageType",
    "kms:DataKeyPairSpec": "DataKeyPairSpec", "kms:EncapsulationAlgorithm": "EncapsulationAlgorithmSpec",
    "kms:EncryptionAlgorithm": "EncryptionAlgorithmSpec", "kms:ExpirationModel": "ExpirationModelType",
    "kms:GrantOperations": "GrantOperation", "kms:KeyAgreementAlgorithm": "KeyAgreementAlgorithmSpec",
    "kms:KeyOrigin": "OriginType", "kms:KeySpec": "KeySpec", "kms:KeyUsage": "KeyUsageType",
    "kms:MacAlgorithm": "MacAlgorithmSpec", "kms:MessageType": "MessageType",
    "kms:SigningAlgorithm": "SigningAlgorithmSpec", "kms:WrappingAlgorithm": "AlgorithmSpec",
    "kms:WrappingKeySpec": "WrappingKeySpec",
}  # fmt: skip


def listed(
    values: Mapping[str, ContextValue | Iterable[ContextValue]],
    error: type[InvalidPrincipal | InvalidSimulation] = InvalidPrincipal,
) -> dict[str, tuple[str, ...]]:  # fmt: skip
    """Return condition keys in lower case, with their values as strings for comparison.

    Raises:
        InvalidPrincipal, InvalidSimulation: an unknown condition key or a wrong value; the class is `error`.
    """
    if not isinstance(values, Mapping):
        raise error(f"context must be a mapping of condition keys to values, not {values!r}.")
    found: dict[str, tuple[str, ...]] = {}
    for name, value in values.items():
        if not isinstance(name, str) or ":" not in name:
            raise error(f"{name!r} is not a condition key, such as 'aws:SourceIdentity'.")
        entries = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
        if isinstance(value, Mapping | bytes) or not all(isinstance(entry, _VALUE_TYPES) for entry in entries):
            raise error(f"{name}: the value of a condition key is a string, number, boolean or time, not {value!r}.")
        texts = tuple(map(condition_string, entries))
        wrong = _what_is_wrong(name, texts)
        if wrong is not None:
            raise error(wrong)
        found[name.lower()] = texts
    return found


def _what_is_wrong(name: str, texts: tuple[str, ...]) -> str | None:
    """Return why a request to KMS cannot have a condition key with these values; None if it can."""
    row, rest = find_row(name.lower())
    if row is None or (name[-1] in ":/" and not rest):
        known = [each.name for each in CONDITION_KEYS]
        vendor = name.partition(":")[0].lower()
        return f"Unknown condition key {name!r}.{did_you_mean(name, known)}" if vendor in {"aws", "kms"} else None
    if len(texts) > 1 and row.lowered not in MULTIVALUED:
        return f"{row.name} has one value, not {len(texts)}: {', '.join(map(repr, texts))}."
    wrong = next((text for text in texts if not _fits(row.name, text)), None)
    return None if wrong is None else f"{row.name} is {_in_words(row.name)}, not {wrong!r}."


def _fits(name: str, text: str) -> bool:
    if name in _ENUMERATIONS:
        return text in (_enumeration(name) or [text])  # older releases of botocore lack some shapes
    form, _words = _FORMS.get(name, (None, ""))
    if form is None:
        return True
    return re.fullmatch(form, text) is not None if isinstance(form, str) else form(text)


def _in_words(name: str) -> str:
    return f"one of {', '.join(_enumeration(name))}" if name in _ENUMERATIONS else _FORMS[name][1]


def _enumeration(name: str) -> list[str]:
    values: list[str] = service_description()["shapes"].get(_ENUMERATIONS[name], {}).get("enum", [])
    return values
