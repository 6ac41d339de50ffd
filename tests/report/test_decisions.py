"""The section "KMS decisions" of tests that fail on an explanation."""

from __future__ import annotations

import pytest

SOURCE = """
    import pytest, unittest
    from pytest_kmsmock import mock_kms

    @pytest.fixture
    def key(kms_mock):
        return kms_mock.create_key(alias="alias/orders")

    def test_simulate(kms_mock, key):
        assert not kms_mock.simulate("role/app", "kms:Decrypt", key)  # this one passes, and is not shown
        assert kms_mock.simulate("role/app", "kms:Encrypt", key)

    def test_allowed(kms_mock, key):
        decision = kms_mock.simulate(None, "kms:Encrypt", key)
        assert not decision

    def test_attribute(kms_mock, key):
        assert kms_mock.simulate("role/app", "kms:Encrypt", key).allowed

    def test_explained(kms_mock, kms_client):
        kms_client.list_keys()
        kms_mock.faults.add("ListKeys", error="KMSInternalException")
        with pytest.raises(Exception):
            kms_client.list_keys()
        assert kms_mock.explain(kms_mock.calls[-1])

    def test_of_something_else(kms_mock, key):
        decision = kms_mock.simulate("role/app", "kms:Encrypt", key)
        assert not key.alias

    def test_no_assertion(kms_mock, key):
        decision = kms_mock.simulate("role/app", "kms:Encrypt", key)
        raise ValueError(repr(decision))

    class TestCase(unittest.TestCase):
        def test_case(self):
            with mock_kms() as kms:
                self.assertTrue(kms.simulate("role/app", "kms:ListKeys"))
"""


@pytest.mark.parametrize(
    ("test", "lines"),
    [
        pytest.param(
            "test_simulate",
            [
                "E       AssertionError: assert <Explanation: refused kms:Encrypt on key/* for assumed-role/app/*, "
                "because no identity-based policy allows the kms:Encrypt action>",
                "*- KMS decisions -*",
                "kms:Encrypt on arn:aws:kms:*:key/* for arn:aws:sts::123456789012:assumed-role/app/*: refused",
                "  + resource-based policy, statement 1 ('Enable IAM User Permissions'): lets IAM policies of *",
                "  - identity-based policies: *",
            ],
            id="simulate",
        ),
        pytest.param(
            "test_allowed",
            [
                "E       assert not <Explanation: allowed kms:Encrypt on key/* for user/Administrator>",
                "*- KMS decisions -*",
                "kms:Encrypt on *: allowed",
            ],
            id="allowed",
        ),
        pytest.param("test_attribute", ["*- KMS decisions -*", "kms:Encrypt on *: refused"], id="attribute"),
        pytest.param(
            "test_explained",
            [
                "E*assert <Explanation: no policy was evaluated: *KMSInternalException*>",
                "*- KMS decisions -*",
                "no policy was evaluated: *",
            ],
            id="no policy asked",
        ),
        pytest.param("test_case", ["*- KMS decisions -*", "kms:ListKeys on [*] for *: refused"], id="unittest"),
    ],
)
def test_the_explanation_of_an_assertion_is_shown(run, test, lines):
    result = run(SOURCE, "-k", test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(lines)


def test_one_that_passed_is_not_shown(run):
    result = run(SOURCE, "-k", "test_simulate")
    result.stdout.no_fnmatch_line("kms:Decrypt on *")


@pytest.mark.parametrize("test", ["test_of_something_else", "test_no_assertion"])
def test_other_failures_show_none(run, test):
    result = run(SOURCE, "-k", test)
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*KMS decisions*")


def test_what_refused_a_call_after_the_policies_is_in_the_short_line(kms_mock, kms_client):
    key = kms_mock.create_key(enabled=False)
    with pytest.raises(kms_client.exceptions.DisabledException) as refused:
        kms_client.encrypt(KeyId=key.arn, Plaintext=b"x")
    assert repr(kms_mock.explain(refused)).startswith(
        f"<Explanation: allowed kms:Encrypt on key/{key.id} for user/Administrator, refused after that: "
    )
