from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock.errors import InvalidCallPattern


@pytest.fixture
def key_id(kms_mock, kms_client):
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    kms_mock.calls.clear()
    return key_id


@pytest.fixture
def encrypted(kms_client, key_id):
    for tenant in ("a", "b", "b"):
        kms_client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext={"tenant": tenant})
    return key_id


def failure(assertion, *args, **kwargs) -> list[str]:
    with pytest.raises(AssertionError) as failed:
        assertion(*args, **kwargs)
    return str(failed.value).splitlines()


def test_what_was_called_passes(kms_mock, encrypted):
    kms_mock.assert_called("Encrypt")
    kms_mock.assert_called("Encrypt", times=3)
    kms_mock.assert_called("Encrypt", EncryptionContext={"tenant": "b"}, KeyId=encrypted, times=2)
    kms_mock.assert_called("Decrypt", times=0)
    kms_mock.assert_not_called("Decrypt")
    kms_mock.assert_not_called("Encrypt", EncryptionContext={"tenant": "c"})
    kms_mock.assert_only_called("Encrypt")
    kms_mock.assert_only_called("Encrypt", KeyId=encrypted)


def test_nothing_called_passes(kms_mock):
    kms_mock.assert_not_called()


def test_a_failure_shows_the_nearest_calls_and_what_differs(kms_mock, encrypted):
    lines = failure(kms_mock.assert_called, "Encrypt", EncryptionContext={"tenant": "c"}, Plaintext=b"x")
    assert lines == [
        "Expected KMS call: Encrypt(EncryptionContext={'tenant': 'c'}, Plaintext=b'x')",
        "The nearest calls:",
        f"  - Encrypt(KeyId='{encrypted}', Plaintext=b'x', EncryptionContext={{'tenant': 'b'}}) in us-east-1 (twice)",
        "      EncryptionContext['tenant']: expected 'c', got 'b'",
        f"  - Encrypt(KeyId='{encrypted}', Plaintext=b'x', EncryptionContext={{'tenant': 'a'}}) in us-east-1",
        "      EncryptionContext['tenant']: expected 'c', got 'a'",
    ]


def test_the_call_with_fewer_differences_comes_first(kms_mock, encrypted):
    lines = failure(kms_mock.assert_called, "Encrypt", EncryptionContext={"tenant": "a"}, Plaintext=b"y")
    assert "'a'" in lines[2]
    assert lines[3] == "      Plaintext: expected b'y', got b'x'"


def test_a_failure_shows_how_often_it_was(kms_mock, encrypted):
    lines = failure(kms_mock.assert_called, "Encrypt", EncryptionContext={"tenant": "b"}, times=1)
    assert lines[:2] == [
        "Expected KMS call once: Encrypt(EncryptionContext={'tenant': 'b'})",
        "It was made twice:",
    ]
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("times", "words"), [pytest.param(2, "twice", id="two"), pytest.param(4, "4 times", id="four")]
)
def test_the_expected_number_is_in_words(kms_mock, encrypted, times, words):
    first = failure(kms_mock.assert_called, "Encrypt", times=times)[0]
    assert first == f"Expected KMS call {words}: Encrypt()"


def test_a_failure_without_calls_says_so(kms_mock):
    assert failure(kms_mock.assert_called, "Sign") == [
        "Expected KMS call: Sign()",
        "No KMS call was made at all.",
    ]


def test_a_failure_with_only_other_operations_lists_the_last_ones(kms_mock, kms_client):
    for limit in range(1, 8):
        kms_client.list_keys(Limit=limit)
    lines = failure(kms_mock.assert_called, "Sign")
    assert lines[1] == "Sign was not called. The last calls:"
    assert lines[2] == "  … 2 before them"
    assert lines[3:] == [f"  - ListKeys(Limit={limit}) in us-east-1" for limit in range(3, 8)]


def test_a_refused_call_shows_why(kms_mock, kms_client):
    with pytest.raises(ClientError):
        kms_client.describe_key(KeyId="alias/none")
    lines = failure(kms_mock.assert_not_called, "DescribeKey")
    assert lines == [
        "Expected no KMS call: DescribeKey()",
        "It was made once:",
        "  - DescribeKey(KeyId='alias/none') in us-east-1 -> NotFoundException: "
        "Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found.",
    ]


def test_an_injected_error_is_called_so(kms_mock, kms_client):
    with kms_mock.faults.add("ListKeys", error="InvalidCiphertextException"), pytest.raises(ClientError):
        kms_client.list_keys()
    assert failure(kms_mock.assert_not_called)[-1] == (
        "  - ListKeys() in us-east-1 -> InvalidCiphertextException (injected)"
    )


def test_any_call_at_all_fails(kms_mock, encrypted):
    assert failure(kms_mock.assert_not_called)[0] == "Expected no KMS call: any"


def test_other_calls_fail_and_are_listed(kms_mock, kms_client, encrypted):
    kms_client.list_keys()
    lines = failure(kms_mock.assert_only_called, "Encrypt", EncryptionContext={"tenant": "b"})
    assert lines == [
        "Expected only KMS calls: Encrypt(EncryptionContext={'tenant': 'b'})",
        "2 of 4 calls were others.",
        f"  - Encrypt(KeyId='{encrypted}', Plaintext=b'x', EncryptionContext={{'tenant': 'a'}}) in us-east-1",
        "      EncryptionContext['tenant']: expected 'b', got 'a'",
        "  - ListKeys() in us-east-1",
    ]


def test_only_called_fails_without_any_call(kms_mock):
    assert failure(kms_mock.assert_only_called, "Encrypt")[1] == "No KMS call was made at all."


def test_long_bytes_are_cut_and_functions_have_names(kms_mock, kms_client, key_id):
    kms_client.encrypt(KeyId=key_id, Plaintext=bytes(1000))

    def is_short(value):
        return len(value) < 10

    lines = failure(kms_mock.assert_called, "Encrypt", Plaintext=is_short, EncryptionContext=None, GrantTokens=["t"])
    assert "Plaintext=<is_short>" in lines[0]
    assert "EncryptionContext=(absent)" in lines[0]
    assert f"Plaintext={bytes(16)!r}… (1000 bytes)" in lines[2]
    assert lines[3].startswith("      Plaintext: expected <is_short>, got b")
    assert lines[4] == "      GrantTokens: expected ['t'], got (absent)"


def test_a_lambda_is_shown_as_one(kms_mock, encrypted):
    assert "Plaintext=<lambda>" in failure(kms_mock.assert_called, "Encrypt", Plaintext=lambda _: False)[0]


def test_the_key_of_a_ciphertext_is_shown_when_the_request_names_none(kms_mock, kms_client, key_id):
    blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    kms_client.decrypt(CiphertextBlob=blob)
    lines = failure(kms_mock.assert_called, "Decrypt", KeyId="alias/other")
    assert lines[-1] == (f"      KeyId: expected 'alias/other', got 'arn:aws:kms:us-east-1:123456789012:key/{key_id}'")


def test_the_failing_line_is_the_tests_own(pytester, few_plugins):
    pytester.makepyfile(
        """
        def test_it(kms_mock):
            kms_mock.assert_called("Decrypt")
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(['*kms_mock.assert_called("Decrypt")*', "E*No KMS call was made at all.*"])
    result.stdout.no_fnmatch_line("*assertions.py*")


def test_a_caller_of_ones_own_is_named(kms_mock):
    caller = Caller(Principal.parse("arn:aws:iam::111122223333:user/Alice"), "111122223333")
    with pytest.raises(KmsError):
        kms_mock._service.call("ListKeys", {"Limit": 0}, caller, "eu-west-1")
    assert (
        "ListKeys(Limit=0) in eu-west-1 by arn:aws:iam::111122223333:user/Alice -> ValidationException"
        in (failure(kms_mock.assert_not_called)[-1])
    )


@pytest.mark.parametrize("assertion", ["assert_called", "assert_only_called"])
def test_no_operation_is_a_mistake_and_no_pass(kms_mock, encrypted, assertion):
    with pytest.raises(InvalidCallPattern, match=rf"^{assertion} needs an operation, such as 'Decrypt'\."):
        getattr(kms_mock, assertion)(None)


@pytest.mark.parametrize("times", [-1, True, "2", 1.0])
def test_times_is_a_number(kms_mock, encrypted, times):
    with pytest.raises(InvalidCallPattern, match=r"^assert_called: times must be the exact number of calls, not "):
        kms_mock.assert_called("Encrypt", times=times)


def test_boto3s_method_is_told_from_the_operation(kms_mock, encrypted):
    with pytest.raises(InvalidCallPattern, match=r"Unknown KMS operation 'encrypt'\. Did you mean 'Encrypt'\?"):
        kms_mock.assert_called("encrypt")
