"""Hygiene checks: what each finds, what it lets pass, and how it is told."""

from __future__ import annotations

import json
import re
import warnings

import pytest

import pytest_kmsmock._mock.kms_mock  # noqa: F401 - a run in this process must not register the hook in botocore again
from pytest_kmsmock import KmsHygieneError, KmsHygieneWarning, mock_kms
from pytest_kmsmock._mock.decorator import MockKms
from pytest_kmsmock._mock.hygiene import CHECKS
from pytest_kmsmock._mock.kms_mock import KmsMock
from pytest_kmsmock._runtime.options import HYGIENE_CHECKS
from pytest_kmsmock.errors import InvalidOption

CONTEXT = {"EncryptionContext": {"tenant": "a"}}


def policy(principal: object, **elements: object) -> str:
    owner = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}
    other = {"Effect": "Allow", "Principal": principal, "Action": "kms:Encrypt", "Resource": "*"} | elements
    return json.dumps({"Version": "2012-10-17", "Statement": [owner, other]})


def found(check: str, use, place: str = "mock_kms") -> list[str]:
    """Return what a check finds in a mock that was used in some way, a line for each finding."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with MockKms({"hygiene": "warn", "hygiene_checks": check}, place=place) as kms:
            use(kms)
    assert [each.category for each in caught] in ([], [KmsHygieneWarning])
    if not caught:
        return []
    heading, *lines, why, page = str(caught[0].message).split("\n")
    [expected] = [each for each in CHECKS if each.name == check]
    assert heading == f"KMS hygiene ({check}): {expected.what}"
    assert (why, page) == (expected.why, expected.page)
    return [line.strip() for line in lines]


def new_key(kms: KmsMock, **members: object) -> str:
    return kms.client().create_key(**members)["KeyMetadata"]["KeyId"]


def rsa(kms: KmsMock) -> str:
    return new_key(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")


def encrypts_with_sha_1(kms: KmsMock) -> None:
    key = rsa(kms)
    kms.client().encrypt(KeyId=key, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1")


def decrypts_with_sha_1(kms: KmsMock) -> None:
    key = rsa(kms)
    blob = kms._service.call(
        "Encrypt", {"KeyId": key, "Plaintext": b"x", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"},
        kms._caller(), kms.region,
    )["CiphertextBlob"]  # fmt: skip
    kms.calls.clear()
    kms.client().decrypt(KeyId=key, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_1")


def uses_a_data_key(kms: KmsMock) -> None:
    client = kms.client()
    key = new_key(kms)
    first, second, pair = (
        client.generate_data_key(KeyId=key, KeySpec="AES_256", **CONTEXT),
        client.generate_data_key(KeyId=key, KeySpec="AES_256", **CONTEXT),
        client.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256", **CONTEXT),
    )
    client.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
    client.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"], **CONTEXT)
    client.re_encrypt(
        CiphertextBlob=first["CiphertextBlob"], SourceEncryptionContext=CONTEXT["EncryptionContext"],
        DestinationKeyId=key, DestinationEncryptionContext=CONTEXT["EncryptionContext"],
    )  # fmt: skip
    with mock_kms() as inner:  # a mock inside has the outer one's keys: what is opened there counts
        inner.client().decrypt(CiphertextBlob=second["CiphertextBlob"], **CONTEXT)


def leaves_data_keys(kms: KmsMock) -> None:
    key = new_key(kms)
    kms.client().generate_data_key(KeyId=key, KeySpec="AES_256", **CONTEXT)
    kms.client().generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256", **CONTEXT)


def many_without_context(kms: KmsMock) -> None:
    key = new_key(kms)
    for _ in range(7):
        kms.client().encrypt(KeyId=key, Plaintext=b"x")


def with_context_or_without_need(kms: KmsMock) -> None:
    key, asymmetric = new_key(kms), rsa(kms)
    kms.client().encrypt(KeyId=key, Plaintext=b"x", **CONTEXT)
    kms.client().encrypt(KeyId=asymmetric, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def half_a_context(kms: KmsMock) -> None:
    key = new_key(kms)
    blob = kms.client().encrypt(KeyId=key, Plaintext=b"x", **CONTEXT)["CiphertextBlob"]
    kms.client().re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext=CONTEXT["EncryptionContext"], DestinationKeyId=key
    )


def lets_everybody_in(kms: KmsMock) -> None:
    key = new_key(kms, Policy=policy("*"))
    kms.client().put_key_policy(KeyId=key, Policy=policy({"AWS": "*"}, Sid="all"))
    kms.client().put_key_policy(
        KeyId=key, Policy=policy({"AWS": "*"}, Condition={"Bool": {"aws:SecureTransport": "true"}})
    )


def lets_nobody_in(kms: KmsMock) -> None:
    new_key(kms)
    new_key(kms, Policy=policy("*", Effect="Deny", Action="kms:Sign"))
    new_key(kms, Policy=policy("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}))


def leaves_keys(kms: KmsMock) -> None:
    new_key(kms, Description="forgotten")
    kms.client().disable_key(KeyId=new_key(kms))
    kms.client().schedule_key_deletion(KeyId=new_key(kms))


@pytest.mark.parametrize(
    ("check", "use", "operations"),
    [
        ("unused-data-key", leaves_data_keys, ["#2 GenerateDataKey", "#3 GenerateDataKeyPair"]),
        ("unused-data-key", uses_a_data_key, []),
        ("no-encryption-context", many_without_context, [*(f"#{n} Encrypt" for n in range(2, 7)), "… and 2 more"]),
        ("no-encryption-context", half_a_context, ["#3 ReEncrypt"]),
        ("no-encryption-context", with_context_or_without_need, []),
        ("deprecated-algorithm", encrypts_with_sha_1, ["#2 Encrypt"]),
        ("deprecated-algorithm", decrypts_with_sha_1, []),
        ("wildcard-principal", lets_everybody_in, ["#1 CreateKey", "#2 PutKeyPolicy"]),
        ("wildcard-principal", lets_nobody_in, []),
    ],
)
def test_what_a_check_finds(check, use, operations):
    lines = found(check, use)
    assert [line.partition("(")[0] for line in lines] == operations


def test_a_wildcard_in_the_policy_of_a_seeded_key_is_found():
    lines = found("wildcard-principal", lambda kms: kms.create_key(policy=policy("*", Sid="all")))
    assert len(lines) == 1
    assert lines[0].startswith("the policy of arn:aws:kms:us-east-1:123456789012:key/")
    assert lines[0].endswith(": statement 2 ('all')")


def misspells(kms: KmsMock) -> None:
    new_key(kms, Policy=policy("*", Action=["kms:Decyrpt", "kms:Gen*"], Sid="app"))
    kms.iam.attach("role/app", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": "*"} for action in ("kms:Encrypt", "kms:GenerateDatKey")
    ]})  # fmt: skip


def test_misspelt_actions_are_found_in_key_policies_and_iam_policies():
    lines = found("unknown-permission", misspells)
    assert [line.partition(": ")[2] for line in lines] == [
        "statement 2 ('app'): unknown KMS permission 'kms:Decyrpt'. Did you mean 'kms:Decrypt'?",
        "statement 2: unknown KMS permission 'kms:GenerateDatKey'. Did you mean 'kms:GenerateDataKey'?",
    ]
    assert lines[0].startswith("#1 CreateKey(")
    assert lines[1].startswith("the policy of arn:aws:iam::123456789012:role/app: ")
    with mock_kms() as outer:
        misspells(outer)
        assert found("unknown-permission", lambda kms: kms.client().list_keys()) == []


def test_keys_left_enabled_are_those_of_the_session():
    lines = found("key-left-enabled", leaves_keys, place="session")
    assert len(lines) == 1
    assert lines[0].endswith(" (forgotten)")
    assert found("key-left-enabled", leaves_keys, place="function") == []


def test_the_policy_of_a_replica_key_is_its_own():
    def replicate(kms: KmsMock) -> None:
        key = kms.create_key(multi_region=True, policy=policy("*", Sid="all"))
        kms.client().replicate_key(KeyId=key.id, ReplicaRegion="eu-west-1", Policy=policy("*"))

    lines = found("wildcard-principal", replicate)
    assert [line.partition(" ")[0] for line in lines] == ["#1", "the"]


def test_a_copy_of_keys_is_not_blamed_for_them():
    with mock_kms() as outer:
        outer.create_key(policy=policy("*"))
        assert found("wildcard-principal", lambda kms: kms.client().list_keys()) == []


def complaint(*uses, **options) -> str:
    """Return what a mock complains about at its end."""
    mock = mock_kms(hygiene="error", **options)
    kms = mock.start()
    for use in uses:
        use(kms)
    with pytest.raises(KmsHygieneError) as failure:
        mock.stop()
    assert not kms.active, "the mock is over"
    return str(failure.value)


def test_all_checks_run_unless_some_are_chosen():
    uses = (leaves_data_keys, encrypts_with_sha_1, many_without_context, lets_everybody_in)
    text = complaint(*uses)
    assert [name for name in HYGIENE_CHECKS if f"({name})" in text] == list(HYGIENE_CHECKS[:4])
    chosen = ("deprecated-algorithm", "no-encryption-context")
    text = complaint(*uses, hygiene_checks=chosen)
    assert {name for name in HYGIENE_CHECKS if f"({name})" in text} == set(chosen)


def test_it_is_off_by_default():
    with mock_kms() as kms:
        many_without_context(kms)


def test_the_exception_that_ends_a_block_comes_first():
    def fails_in_the_middle() -> None:
        with mock_kms(hygiene="error") as kms:
            many_without_context(kms)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_in_the_middle()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hygiene": "yes"}, r"hygiene must be 'off', 'warn' or 'error', not 'yes'"),
        ({"hygiene_checks": "no-context"}, r"unknown hygiene check 'no-context'\..* Choose from: unused-data-key, "),
        ({"hygiene_checks": ["unused-data-keys"]}, r"Did you mean 'unused-data-key'\?"),
    ],
)
def test_wrong_options_say_what_is_right(options, message):
    with pytest.raises(InvalidOption, match=message):
        mock_kms(**options)


def test_each_check_tells_what_why_and_where():
    assert len(set(HYGIENE_CHECKS)) == len(CHECKS)
    for check in CHECKS:
        assert check.what
        assert check.why.endswith(".")
        assert check.page.startswith("https://docs.aws.amazon.com/kms/latest/developerguide/")


SOURCE = """
    import pytest

    def test_it(kms_client):
        key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
        kms_client.encrypt(KeyId=key_id, Plaintext=b"x")

    @pytest.mark.kms_mock(hygiene="off")
    def test_let_pass(kms_client):
        test_it(kms_client)
"""
INI = "asyncio_default_fixture_loop_scope = function"


@pytest.mark.parametrize(
    ("ini", "arguments", "outcomes", "line"),
    [
        pytest.param("kms_mock_hygiene = warn", ("-W", "default"), {"passed": 2, "warnings": 1},
                     "*KmsHygieneWarning: KMS hygiene (no-encryption-context): *", id="ini-warn"),
        pytest.param("kms_mock_hygiene = error", (), {"passed": 2, "errors": 1},
                     "*KmsHygieneError: KMS hygiene (no-encryption-context): *", id="ini-error"),
        pytest.param("kms_mock_hygiene = warn\nfilterwarnings = error::pytest_kmsmock.KmsHygieneWarning", (),
                     {"passed": 2, "errors": 1}, "*KmsHygieneWarning: KMS hygiene *", id="filterwarnings"),
        pytest.param("", ("--kms-hygiene=error",), {"passed": 2, "errors": 1}, "*KmsHygieneError*", id="command-line"),
        pytest.param("kms_mock_hygiene = error\nkms_mock_hygiene_checks = unused-data-key deprecated-algorithm", (),
                     {"passed": 2}, "*2 passed*", id="other-checks"),
    ],
)  # fmt: skip
def test_in_pytest(pytester, ini, arguments, outcomes, line):
    pytester.makeini(f"[pytest]\n{INI}\n{ini}")
    pytester.makepyfile(test_it=SOURCE)
    result = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", *arguments)
    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines([line])


PLACES = """
import contextlib
import unittest
import boto3
import pytest
from pytest_kmsmock import mock_kms

def use():
    client = boto3.client("kms", "us-east-1")
    client.encrypt(KeyId=client.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"x")

def test_fixture(kms_mock):
    use()

@mock_kms(hygiene="warn")
def test_decorated():
    use()

def test_with():
    with mock_kms(hygiene="warn"):
        use()

def test_stack():
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock_kms(hygiene="warn"))
        use()

def test_stopped():
    mock = mock_kms(hygiene="warn")
    mock.start()
    use()
    mock.stop()

@pytest.mark.asyncio
async def test_async():
    async with mock_kms(hygiene="warn"):
        use()

@mock_kms(hygiene="warn")
class TestUnit(unittest.TestCase):
    def test_unit(self):
        use()

class TestClass:
    def test_class(self, class_kms_mock):
        use()
"""


def test_a_warning_shows_the_test(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nkms_mock_hygiene = warn")
    path = pytester.makepyfile(test_it=PLACES)
    result = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "default")
    result.assert_outcomes(passed=8, warnings=8)
    source = [line.strip() for line in path.read_text().splitlines()]
    shown = [line for line in result.stdout.lines if "KmsHygieneWarning" in line]
    found = [re.match(rf"\s*{re.escape(str(path))}:([0-9]+): KmsHygieneWarning", line) for line in shown]
    assert [match and source[int(match[1]) - 1] for match in found] == [
        "def test_fixture(kms_mock):",
        '@mock_kms(hygiene="warn")',
        'with mock_kms(hygiene="warn"):',
        "with contextlib.ExitStack() as stack:",
        "mock.stop()",
        'async with mock_kms(hygiene="warn"):',
        "def test_unit(self):",
        "class TestClass:",
    ]


def test_what_is_not_written_in_python_can_be_decorated() -> None:
    assert mock_kms(len)([1]) == 1
