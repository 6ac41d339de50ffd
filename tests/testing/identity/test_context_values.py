"""Condition keys that a test says of requests.

Names and forms: IAM User Guide, "AWS global condition context keys", and Developer Guide, "Condition keys for AWS KMS".
"""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._kms.permissions.condition_keys import CONDITION_KEYS
from pytest_kmsmock._testing.identity import context_values
from pytest_kmsmock.errors import InvalidPrincipal, InvalidSimulation

IS = {
    "aws:AssumedRoot": "true", "aws:CalledVia": ["s3.amazonaws.com", "sns.amazonaws.com"],
    "aws:ChatbotSourceArn": "arn:aws:chatbot::111122223333:chat-configuration/x",
    "aws:CurrentTime": datetime(2030, 1, 1),  # noqa: DTZ001
    "aws:Ec2InstanceSourcePrivateIPv4": "10.1.2.3", "aws:MultiFactorAuthAge": 3600, "aws:PrincipalType": "AssumedRole",
    "aws:PrincipalOrgPaths": ["o-a1/r-b2/", "o-a1/r-b2/ou-c3-d4/ou-c3-e5/"], "aws:PrincipalTag/team": "blue",
    "aws:RequestedRegion": "eu-west-1", "aws:ResourceTag/team": "", "aws:SecureTransport": False,
    "aws:SourceIp": "2001:db8::1", "aws:SourceVpc": "vpc-1a2b", "aws:TagKeys": [], "aws:UserAgent": "x",
    "aws:VpceAccount": "111122223333", "AWS:SOURCEACCOUNT": "111122223333", "kms:EncryptionContext:tenant": "a",
    "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:GrantOperations": ["Decrypt", "Encrypt"], "kms:RequestAlias": "alias/x",
    "kms:ValidTo": 1893456000, "kms:ViaService": "s3.eu-west-1.amazonaws.com", "saml:sub": "x",
    "ec2:SourceInstanceArn": ["anything", "goes"],
}  # fmt: skip
IS_NOT = [
    ("aws:SoruceIp", "10.0.0.1", "Unknown condition key 'aws:SoruceIp'. Did you mean 'aws:SourceIp'?"),
    (
        "aws:PrincipalTags/team",
        "x",
        "key 'aws:PrincipalTags/team'. Did you mean 'aws:PrincipalTag/'?",
    ),
    ("kms:EncriptionContextKeys", "x", "Did you mean 'kms:EncryptionContextKeys'?"),
    ("aws:PrincipalTag/", "x", "Unknown condition key 'aws:PrincipalTag/'."),
    ("kms:EncryptionContext:", "x", "Unknown condition key 'kms:EncryptionContext:'."),
    ("aws:SourceIp", "10.0.0", "aws:SourceIp is an IP address, not '10.0.0'."),
    ("aws:SourceIp", ["10.0.0.1", "10.0.0.2"], "aws:SourceIp has one value, not 2: '10.0.0.1', '10.0.0.2'."),
    ("aws:securetransport", "yes", "aws:SecureTransport is true or false, not 'yes'."),
    ("aws:SourceArn", "my-topic", "aws:SourceArn is an ARN, not 'my-topic'."),
    ("aws:PrincipalAccount", "1234", "aws:PrincipalAccount is the id of an account, 12 digits, not '1234'."),
    ("aws:PrincipalOrgPaths", ["o-a1/r-b2"], "is a path in an organization, such as"),
    ("aws:PrincipalType", "Root", "aws:PrincipalType is one of Account, User, FederatedUser, AssumedRole, Anonymous,"),
    ("aws:MultiFactorAuthAge", "an hour", "aws:MultiFactorAuthAge is a number, not 'an hour'."),
    (
        "aws:TokenIssueTime",
        "yesterday",
        "aws:TokenIssueTime is a time, such as '2030-01-31T12:00:00Z', not",
    ),
    ("kms:KeySpec", "AES_256", "kms:KeySpec is one of RSA_2048,"),
    ("kms:GrantOperations", ["Encrypt", "encrypt"], "kms:GrantOperations is one of Decrypt,"),
    ("kms:ViaService", "s3", "kms:ViaService is the name of a service in a Region, such as"),
    ("kms:RequestAlias", "app", "kms:RequestAlias is the name of an alias, such as 'alias/app', not 'app'."),
]


@pytest.mark.parametrize(("name", "value"), IS.items())
def test_what_a_request_may_have(kms_mock, name, value):
    assert name.lower() in kms_mock._caller("user/alice", context={name: value}).context


@pytest.mark.parametrize(("name", "value", "message"), IS_NOT)
def test_what_no_request_has(kms_mock, name, value, message):
    for given, error in ((kms_mock.credentials, InvalidPrincipal), (kms_mock.simulate, InvalidSimulation)):
        rest = () if error is InvalidPrincipal else ("kms:ListKeys", None)
        context = {"context": {name: value}}
        with pytest.raises(error) as refused:
            given("user/alice", *rest, **context)
        assert message in str(refused.value)


def test_forms_and_enumerations_are_of_keys_that_there_are():
    names = {row.name for row in CONDITION_KEYS}
    assert set(context_values._FORMS) | set(context_values._ENUMERATIONS) <= names
    shapes = service_description()["shapes"]
    assert all(shapes[shape]["enum"] for shape in context_values._ENUMERATIONS.values())


def test_a_request_through_a_vpc_endpoint_has_no_source_ip(kms_mock):
    """IAM User Guide, aws:SourceIp: not there through a VPC endpoint; aws:VpcSourceIp is."""
    through = {"source_vpce": "vpce-1a2b"}
    caller = kms_mock._caller("user/alice", source_ip="10.1.2.3", **through)
    assert caller.context == {"aws:vpcsourceip": ("10.1.2.3",), "aws:sourcevpce": ("vpce-1a2b",)}
    with pytest.raises(InvalidPrincipal, match="have aws:VpcSourceIp instead of aws:SourceIp"):
        kms_mock.credentials("user/alice", context={"aws:SourceIp": "10.1.2.3"}, **through)
    with pytest.raises(InvalidSimulation, match="have aws:VpcSourceIp instead of aws:SourceIp"):
        kms_mock.simulate(kms_mock.credentials("user/alice", **through), "kms:ListKeys", None, {"aws:SourceIp": "::1"})
