"""What tests needed of deployed policies, and what these give to no use."""

from __future__ import annotations

import contextlib
import json

import pytest
from botocore.exceptions import ClientError
from tests.iac.conftest import ACCOUNT, allow, policy

from pytest_kmsmock import KmsHygieneError, PolicyDiff, mock_kms
from pytest_kmsmock._iac.diff import PolicyUsage

ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
KEY = {"Type": "AWS::KMS::Key"}


def role(*statements, **more):
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": policy(*statements)}], **more}}


def used(kms, *operations):
    """Call some operations as the role; what is refused is no failure here."""
    client, key = kms.client(), kms.deployed("Key")
    blob = client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    calls = {
        "Encrypt": lambda: client.encrypt(KeyId=key, Plaintext=b"x"),
        "Decrypt": lambda: client.decrypt(CiphertextBlob=blob),
        "GenerateDataKey": lambda: client.generate_data_key(KeyId=key, KeySpec="AES_256"),
        "ListKeys": client.list_keys,
    }
    with kms.as_principal(kms.deployed("Role")):
        for operation in operations:
            with contextlib.suppress(ClientError):
                calls[operation]()
    return kms.policy_diff()


def test_missing_and_unused_permissions(deployed):
    statements = (allow(["kms:Encrypt", "kms:Sign", "s3:*"]), allow("kms:GenerateDataKey*"))
    kms = deployed({"Key": KEY, "Role": role(*statements)})
    found = used(kms, "Encrypt", "Decrypt", "GenerateDataKey")
    assert isinstance(found, PolicyDiff)
    assert found.missing == (
        f"app.template.json:6, Role: allow kms:Decrypt on {kms.deployed('Key')} for {kms.deployed('Role')}",
    )
    assert found.unused == ("app.template.json:6, Role, statement 1 in line 14: kms:Sign",)
    assert str(found) == "\n".join(found.lines)
    assert found.lines == [
        "permissions that tests used and the files lack (1):",
        f"  + {found.missing[0]}",
        "permissions that the files give and no test used (1):",
        f"  - {found.unused[0]}",
    ]
    assert found


def test_no_difference(deployed):
    found = used(deployed({"Key": KEY, "Role": role(allow("kms:Encrypt"))}), "Encrypt")
    assert (found.missing, found.unused) == ((), ())
    assert not found


def test_a_role_without_a_policy(deployed):
    found = used(deployed({"Key": KEY, "Role": {"Type": "AWS::IAM::Role"}}), "Encrypt")
    assert found.missing[0].startswith("app.template.json:6, Role: allow kms:Encrypt on ")


def test_key_policies(deployed):
    to_services = allow("kms:Decrypt", Principal={"Service": "sns.amazonaws.com"})
    kms = deployed({
        "Key": {**KEY, "Properties": {"KeyPolicy": policy(allow("kms:*", Principal=ROOT), to_services)}},
        "Role": role(allow("kms:Encrypt")),
    })  # fmt: skip
    found = used(kms, "Encrypt")
    assert found.unused == ("app.template.json:3, Key, statement 2 in line 17: kms:Decrypt",)


def test_a_key_policy_that_leaves_nothing_to_iam(deployed):
    administrator = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/Administrator"}
    kms = deployed({
        "Key": {**KEY, "Properties": {"KeyPolicy": policy(allow("kms:*", Principal=administrator))}},
        "Role": role(allow("kms:Decrypt")),
    })  # fmt: skip
    found = used(kms, "Decrypt")
    assert [each.partition(" on ")[0] for each in found.missing] == ["app.template.json:3, Key: allow kms:Decrypt"]


def test_a_denial(deployed):
    denial = {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}
    found = used(deployed({"Key": KEY, "Role": role(allow("kms:*"), denial)}), "Decrypt")
    assert found.missing[0].startswith("app.template.json:6, Role, statement 2 in line 19: do not deny kms:Decrypt on ")


def test_a_boundary(deployed):
    kms = deployed({
        "Key": KEY,
        "Role": role(allow("kms:*"), PermissionsBoundary={"Ref": "Limit"}),
        "Limit": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy(allow("kms:Encrypt"))}},
    })  # fmt: skip
    found = used(kms, "Decrypt")
    assert ", Limit: allow kms:Decrypt on " in found.missing[0]


def test_a_role_whose_path_is_like_the_arn_of_a_key(deployed):
    # The pattern of pathType in IAM allows colons.
    kms = deployed({"Key": KEY, "Role": role(allow("kms:Encrypt"), Path="/:key/")})
    assert kms.deployed("Role").startswith(f"arn:aws:iam::{ACCOUNT}:role/:key/")
    assert used(kms, "Decrypt").unused == ("app.template.json:6, Role, statement 1 in line 14: kms:Encrypt",)


def test_aws_managed_policies_are_not_for_users_to_change(deployed):
    managed = "arn:aws:iam::aws:policy/AdministratorAccess"
    kms = deployed({"Key": KEY, "Role": role(allow("s3:*"), ManagedPolicyArns=[managed])})
    assert used(kms, "Decrypt").unused == ()


def test_denials_that_no_file_can_change(deployed):
    kms = deployed({"Key": KEY, "Role": role({"Effect": "Allow", "NotAction": "kms:Decrypt", "Resource": "*"})})
    kms.iam.service_control(policy(allow("s3:*")), full_access=False)
    found = used_by_a_stranger(kms)
    assert found.missing == ()
    assert [each.partition(": ")[2] for each in found.unused] == ["NotAction"]


def used_by_a_stranger(kms):
    with kms.as_principal("role/stranger"), pytest.raises(ClientError):
        kms.client().list_keys()
    return kms.policy_diff()


def test_everything_but_some(deployed):
    kms = deployed({"Key": KEY, "Role": role({"Effect": "Allow", "NotAction": "kms:Decrypt", "Resource": "*"})})
    assert used(kms, "Encrypt").unused == ()


def test_statements_without_an_action(deployed):
    nothing = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, "Resource": "*"}
    key = {**KEY, "Properties": {"KeyPolicy": policy(allow("kms:*", Principal=ROOT), nothing)}}
    kms = deployed({"Key": key, "Role": role(allow("kms:Encrypt"))})
    assert used(kms, "ListKeys").missing[0].endswith(f"allow kms:ListKeys on * for {kms.deployed('Role')}")


def test_facts_add_up_and_travel(deployed):
    kms = deployed({"Key": KEY, "Role": role(allow(["kms:Encrypt", "kms:Sign"]))})
    used(kms, "Encrypt", "Decrypt")
    usage = PolicyUsage()
    usage.add(kms.calls, kms._service.state.iam)
    sum_of_both = PolicyUsage()
    for _ in range(2):
        sum_of_both.merge(json.loads(json.dumps(usage.data)))
    assert PolicyDiff.of(sum_of_both) == PolicyDiff.of(usage) == kms.policy_diff()


def test_hygiene_names_the_file(write):
    key = {**KEY, "Properties": {"KeyPolicy": policy(allow("kms:*", Principal="*"))}}
    path = write("app.json", {"Resources": {"Key": key}})
    mock = mock_kms(seed=path, hygiene="error", hygiene_checks=["wildcard-principal"])
    mock.start()
    with pytest.raises(KmsHygieneError, match=r"the policy of arn:\S+ \(app\.json:3, Key\): statement 1"):
        mock.stop()


def test_a_role_of_no_file(deployed):
    kms = deployed({"Key": KEY, "Role": role(allow("kms:Encrypt"))})
    assert used_by_a_stranger(kms).missing == ()
