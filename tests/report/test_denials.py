"""Why policies refused a call, in the section and on the page."""

from __future__ import annotations

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.policy import Principal
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._report.denials import decisive, reasons

BOB = Caller(Principal.parse("arn:aws:iam::123456789012:user/bob"), "123456789012")


def policy(effect, action):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]}


def test_a_denied_call_tells_what_each_policy_said():
    with mock_kms() as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        with pytest.raises(KmsError, match="AccessDeniedException"):
            kms._service.call("Encrypt", {"KeyId": key_id, "Plaintext": b"x"}, BOB, "us-east-1")
        assert reasons(kms.calls[-1]) == [
            "+ resource-based policy, statement 1 ('Enable IAM User Permissions'): "
            "lets IAM policies of the account allow kms:Encrypt",
            "- identity-based policies: arn:aws:iam::123456789012:user/bob has none",
            "- grants: no grant allows the request",
        ]
        assert decisive(kms.calls[-1]) == [1]
        denials = (policy("Deny", "kms:Decrypt"), policy("Deny", "kms:Encrypt"))
        kms.iam.attach("user/bob", policy("Allow", "kms:*"), *denials)
        with pytest.raises(KmsError, match="with an explicit deny in an identity-based policy"):
            kms._service.call("Encrypt", {"KeyId": key_id, "Plaintext": b"x"}, BOB, "us-east-1")
        (line,) = decisive(kms.calls[-1])
        assert "denies kms:Encrypt" in reasons(kms.calls[-1])[line]


def test_other_refusals_and_successes_have_none():
    with mock_kms() as kms:
        client = kms.client()
        client.list_keys()
        with pytest.raises(client.exceptions.NotFoundException):
            client.describe_key(KeyId="alias/missing")
        kms.faults.add("ListKeys", error="AccessDeniedException")
        with pytest.raises(client.exceptions.ClientError):
            client.list_keys()
        assert [reasons(record) for record in kms.calls] == [[], [], []]
        assert [decisive(record) for record in kms.calls] == [[], [], []]


def test_the_section_shows_them(run):
    result = run("""
        from pytest_kmsmock._kms.policy import Principal
        from pytest_kmsmock._kms.state.caller import Caller

        def test_it(kms_mock):
            bob = Caller(Principal.parse("arn:aws:iam::123456789012:user/bob"), "123456789012")
            kms_mock._service.call("ListKeys", {}, bob, "us-east-1")
    """)
    result.stdout.fnmatch_lines([
        "1. ListKeys() in us-east-1 by arn:aws:iam::123456789012:user/bob",
        "   REFUSED AccessDeniedException: User: arn:aws:iam::123456789012:user/bob is not authorized to perform: *",
        "     - identity-based policies: arn:aws:iam::123456789012:user/bob has none",
    ])  # fmt: skip
