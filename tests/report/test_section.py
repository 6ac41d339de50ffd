"""The section "KMS calls" of failing tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

SOURCE = """
    import boto3, pytest
    from pytest_kmsmock import mock_kms

    @pytest.fixture(scope="session")
    def shared(session_kms_mock):
        return session_kms_mock.client().create_key()["KeyMetadata"]["KeyId"]

    def test_passes(kms_client, shared):
        kms_client.list_keys()

    def test_fixture(kms_client, shared):
        blob = kms_client.encrypt(KeyId=shared, Plaintext=b"x" * 50)["CiphertextBlob"]
        kms_client.decrypt(CiphertextBlob=blob)
        kms_client.describe_key(KeyId="alias/missing")

    @mock_kms(region="eu-west-1")
    def test_decorated():
        boto3.client("kms").create_alias(AliasName="alias/Ada", TargetKeyId="no-key")

    def test_block():
        with mock_kms() as outer:
            outer.client().list_keys()
            with mock_kms() as inner:
                inner.client().list_aliases()
            outer.client().generate_random(NumberOfBytes=8)
        assert 0

    @pytest.fixture
    def broken(kms_client):
        kms_client.list_keys()
        assert 0

    def test_setup(broken): ...

    @pytest.fixture
    def untidy(kms_client):
        yield
        kms_client.list_aliases()
        assert 0

    def test_teardown(untidy, kms_client):
        kms_client.list_keys()

    def test_both(untidy, kms_client):
        kms_client.generate_random(NumberOfBytes=8)
        assert 0

    def test_no_kms():
        assert 0
"""


@pytest.fixture
def sections(run):
    """Run tests and return the KMS sections of each failing phase by its headline."""

    def find(*arguments: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        lines: list[str] | None = None
        headline = ""
        for line in run(SOURCE, *arguments).outlines:
            if line.startswith("____"):
                headline, lines = line.strip("_ "), None
            elif line.startswith("====") or (line.startswith("----") and "KMS calls" not in line):
                lines = None
            elif line.startswith("----"):
                lines = found.setdefault(headline, [])
            elif lines is not None:
                lines.append(line)
        return found

    return find


def test_failing_tests_show_their_calls(sections):
    found = sections()
    assert set(found) == {
        "test_fixture", "test_decorated", "test_block", "ERROR at setup of test_setup",
        "ERROR at teardown of test_teardown", "test_both", "ERROR at teardown of test_both",
    }  # fmt: skip

    fixture = found["test_fixture"]
    assert fixture[0] == "3 calls, 1 refused"
    assert fixture[1] == "call:"
    assert fixture[2].endswith("Plaintext=b'xxxxxxxxxxxxxxxx'… (50 bytes)) in us-east-1")
    assert fixture[3].startswith("2. Decrypt(CiphertextBlob=")
    assert " [key/" in fixture[3], "a key that only the ciphertext names is told"
    assert fixture[4] == "3. DescribeKey(KeyId='alias/missing') in us-east-1"
    assert fixture[5] == (
        "   REFUSED NotFoundException: Alias arn:aws:kms:us-east-1:123456789012:alias/missing is not found."
    )

    assert found["test_decorated"][2] == ("1. CreateAlias(AliasName='alias/Ada', TargetKeyId='no-key') in eu-west-1")

    assert found["test_block"] == [
        "3 calls, none refused",
        "call, in mock 1 of 2 (mock_kms()):",
        "1. ListKeys() in us-east-1",
        "call, in mock 2 of 2 (mock_kms()):",
        "2. ListAliases() in us-east-1",
        "call, in mock 1 of 2 (mock_kms()):",
        "3. GenerateRandom(NumberOfBytes=8) in us-east-1",
    ]

    assert found["ERROR at setup of test_setup"] == [
        "1 call, none refused", "setup:", "1. ListKeys() in us-east-1",
    ]  # fmt: skip
    assert found["ERROR at teardown of test_teardown"] == [
        "2 calls, none refused", "call:", "1. ListKeys() in us-east-1", "teardown:", "2. ListAliases() in us-east-1",
    ]  # fmt: skip
    assert len(found["test_both"]) == 3
    assert found["ERROR at teardown of test_both"][-1] == "2. ListAliases() in us-east-1"


def test_failing_tests_show_their_calls_under_xdist(sections):
    found = sections("-n", "1", "-k", "test_block")
    assert found["test_block"][0] == "3 calls, none refused"


def test_show_capture_hides_the_section(sections):
    assert sections("--show-capture=no", "-k", "test_block") == {}


def test_a_long_list_is_shortened_but_for_its_end_and_what_was_refused(run):
    result = run("""
        import pytest
        from botocore.exceptions import ClientError

        def test_it(kms_client):
            with pytest.raises(ClientError):
                kms_client.describe_key(KeyId="alias/missing")
            for _ in range(40):
                kms_client.list_keys()
            assert 0
    """)
    result.stdout.fnmatch_lines([
        "41 calls, 1 refused",
        "call:",
        " 1. DescribeKey(KeyId='alias/missing') in us-east-1",
        "    REFUSED NotFoundException: *",
        "     … 20 calls left out",
        "22. ListKeys() in us-east-1",
        "41. ListKeys() in us-east-1",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("21. ListKeys*")


def test_injected_errors_and_other_callers_are_marked(run):
    result = run("""
        def test_it(kms_mock, kms_client):
            kms_mock.faults.add("ListKeys", error="KMSInternalException")
            kms_client.list_keys()
    """)
    result.stdout.fnmatch_lines(["   REFUSED KMSInternalException (injected by a fault)*"])


def test_what_a_reason_quotes_stays_on_its_line(run):
    result = run(r"""
        def test_it(kms_client):
            kms_client.describe_key(KeyId="alias/a\nb\x1b[2J")
    """)
    result.stdout.fnmatch_lines([r"   REFUSED NotFoundException: *alias/a\nb\x1b[[]2J is not found."])


def test_a_cleared_list_of_calls_is_no_hindrance(run):
    result = run("""
        import pytest

        @pytest.fixture
        def prepared(kms_mock):
            kms_mock.client().create_key()
            kms_mock.calls.clear()

        def test_it(prepared, kms_client):
            kms_client.list_keys()
            assert 0
    """)
    result.stdout.fnmatch_lines(["1 call, none refused", "call:", "1. ListKeys() in us-east-1"])


def test_a_run_without_kms_imports_nothing_for_its_failures(pytester: pytest.Pytester):
    pytester.makepyfile("""
        import sys

        def test_it():
            assert not {"botocore", "pytest_kmsmock._report.section", "pytest_kmsmock._testing"} & set(sys.modules)

        def test_fails():
            assert 0
    """)
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "pytest_kmsmock.plugin"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, check=False, cwd=pytester.path,
    )  # fmt: skip
    assert "1 failed, 1 passed" in result.stdout, result.stdout + result.stderr
    assert "KMS calls" not in result.stdout


def test_a_refusal_of_a_service_says_how_to_do_without(pytester, few_plugins):
    pytester.makepyfile("""
        import boto3, pytest
        from moto import mock_aws

        @pytest.fixture
        def aws():
            with mock_aws():
                yield

        def test_it(aws, kms_mock):
            s3 = boto3.client("s3", region_name="us-east-1")
            s3.create_bucket(Bucket="documents")
            s3.put_object(Bucket="documents", Key="k", ServerSideEncryption="aws:kms", SSEKMSKeyId="made-up")
    """)
    result = pytester.runpytest_subprocess()
    result.stdout.fnmatch_lines([
        "*KMS calls*",
        "1. GenerateDataKey(KeyId='made-up', *) in us-east-1 via s3",
        "*REFUSED NotFoundException: Invalid keyId 'made-up'",
        "s3 called KMS, as on AWS. To turn that off, leave the service out of the option services (kms_mock_services).",
    ])  # fmt: skip


def test_a_set_up_of_many_calls_is_one_line_unless_something_was_refused_in_it(run):
    source = """
        import pytest
        from botocore.exceptions import ClientError

        @pytest.fixture
        def prepared(kms_client):
            for _ in range({calls}):
                kms_client.list_keys()
            if {refused}:
                with pytest.raises(ClientError):
                    kms_client.describe_key(KeyId="alias/missing")
            assert not {fails}

        def test_it(prepared, kms_client):
            kms_client.list_aliases()
            assert 0
    """
    result = run(source.format(calls=11, refused=False, fails=False))
    result.stdout.fnmatch_lines([
        "12 calls, none refused",
        "setup: 11 calls, none refused",
        "call:",
        "12. ListAliases() in us-east-1",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*ListKeys() in*")
    for shown in ({"calls": 3}, {"calls": 11, "refused": True}, {"calls": 11, "fails": True}):
        result = run(source.format(**({"refused": False, "fails": False} | shown)))
        result.stdout.fnmatch_lines(["*1. ListKeys() in us-east-1"])


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        pytest.param(
            "kms_mock.client(region='eu-west-1').describe_key(KeyId='alias/orders')",
            "alias/orders exists in us-east-1; the call went to eu-west-1.",
            id="wrong Region",
        ),
        pytest.param(
            "kms_client.describe_key(KeyId='alias/foreign')",
            "alias/foreign exists in us-east-1 of account 111122223333; the call went to us-east-1.",
            id="wrong account",
        ),
        pytest.param("kms_client.describe_key(KeyId='alias/order')", "Did you mean alias/orders?", id="misspelt"),
        pytest.param("kms_client.describe_key(KeyId='orders')", "Did you mean alias/orders?", id="no prefix"),
        pytest.param(
            "kms_client.describe_key(KeyId=key.arn.replace('us-east-1', 'eu-west-1'))",
            "* exists in us-east-1; the ARN says eu-west-1.",
            id="wrong ARN",
        ),
        pytest.param(
            "kms_mock.client(region='eu-west-1').describe_key(KeyId=key.arn)",
            "The ARN says us-east-1; the call went to eu-west-1.",
            id="ARN of another Region",
        ),
        pytest.param(
            "kms_client.re_encrypt(CiphertextBlob=blob, SourceKeyId='alias/orders', DestinationKeyId='alias/oders')",
            "Did you mean alias/orders?",
            id="second key",
        ),
        pytest.param(
            "kms_client.create_alias(AliasName='alias/order', TargetKeyId=key.id[:-1] + 'x')",
            "Did you mean *-*-*-*?",
            id="new alias",
        ),
    ],
)
def test_a_name_that_was_not_found_is_explained(run, call, hint):
    result = run(f"""
        def test_it(kms_mock, kms_client):
            key = kms_mock.create_key(alias="alias/orders")
            kms_mock.create_key(alias="alias/foreign", account="111122223333")
            blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
            {call}
    """)
    result.stdout.fnmatch_lines(["*REFUSED NotFoundException: *", f"     {hint}"])


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        pytest.param(
            "client.describe_key(KeyId='alias/orders')",
            "alias/orders exists in another mock, kms_mock; mock_kms() answered the call.",
            id="alias",
        ),
        pytest.param(
            "client.describe_key(KeyId=key.arn)", "* exists in another mock, kms_mock; mock_kms() answered the call.",
            id="ARN",
        ),
        pytest.param(
            "client.decrypt(CiphertextBlob=blob)",
            "The key of the ciphertext exists in another mock, kms_mock; mock_kms() answered the call.",
            id="ciphertext",
        ),
    ],
)  # fmt: skip
def test_a_name_of_another_mock_is_told_with_it(run, call, hint):
    result = run(f"""
        from pytest_kmsmock import mock_kms

        def test_it(kms_mock, kms_client):
            key = kms_mock.create_key(alias="alias/orders")
            blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
            kms_mock.calls.clear()
            with mock_kms(fresh=True) as inner:
                client = inner.client()
                {call}
    """)
    result.stdout.fnmatch_lines(["*REFUSED *", f"     {hint}"])


def test_a_ciphertext_of_another_region_is_told_with_it(run):
    result = run("""
        def test_it(kms_mock, kms_client):
            key = kms_mock.create_key()
            blob = kms_client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
            kms_mock.client(region="eu-west-1").decrypt(CiphertextBlob=blob)
    """)
    result.stdout.fnmatch_lines([
        "*REFUSED *",
        "     The key of the ciphertext exists in us-east-1; the call went to eu-west-1.",
    ])  # fmt: skip


def test_a_ciphertext_whose_key_refuses_the_caller_needs_no_hint(run):
    result = run("""
        def test_it(kms_mock, kms_client):
            key = kms_mock.create_key(account="111122223333")
            owner = kms_mock.client(principal="arn:aws:iam::111122223333:root")
            blob = owner.encrypt(KeyId=key.arn, Plaintext=b"x")["CiphertextBlob"]
            kms_client.decrypt(CiphertextBlob=blob, KeyId=key.arn)
    """)
    result.stdout.fnmatch_lines(["*REFUSED AccessDeniedException*"])
    result.stdout.no_fnmatch_line("*The key of the ciphertext*")


def test_a_name_that_came_too_late_or_that_is_like_none(run):
    result = run("""
        import pytest

        def test_it(kms_mock, kms_client):
            for name in ("alias/orders", "alias/zebra"):
                with pytest.raises(kms_client.exceptions.NotFoundException):
                    kms_client.describe_key(KeyId=name)
            kms_mock.create_key(alias="alias/orders")
            kms_mock.faults.add("ListKeys", error="NotFoundException", times=1)
            kms_mock.faults.add("ListAliases", error="NotFoundException", times=1)
            kms_client.list_keys()
    """)
    result.stdout.fnmatch_lines([
        "1. DescribeKey(KeyId='alias/orders') in us-east-1",
        "   REFUSED NotFoundException: *",
        "     alias/orders exists now: it was created after the call.",
        "2. DescribeKey(KeyId='alias/zebra') in us-east-1",
        "   REFUSED NotFoundException: *",
        "3. ListKeys() in us-east-1",
        "   REFUSED NotFoundException (injected by a fault)*",
        "Fault that never fired: NotFoundException at ListAliases()",
    ], consecutive=True)  # fmt: skip


def test_a_fault_that_never_fired_is_told_without_calls(run):
    result = run("""
        def test_it(kms_mock):
            kms_mock.faults.add("Decrypt", error="ThrottlingException")
            assert False

        def test_without_faults(kms_mock):
            assert False
    """)
    result.assert_outcomes(failed=2)
    told = [line for line in result.outlines if "calls, none refused" in line or "never fired" in line]
    assert told == ["0 calls, none refused", "Fault that never fired: ThrottlingException at Decrypt()"]


ALLOWED = """
    import boto3, pytest
    from botocore.exceptions import ClientError

    KEY = "12345678-1234-1234-1234-123456789012"

    def allow(effect, action):
        return {{"Version": "2012-10-17", "Statement": [{{"Effect": effect, "Action": action, "Resource": "*"}}]}}

    {marker}
    def test_it(kms_mock, kms_client):
        kms_mock.create_key(key_id=KEY, grants=[
            {{"GranteePrincipal": "arn:aws:iam::123456789012:role/app", "Operations": ["Encrypt"]}}
        ])
        with pytest.raises({expected}):
            {call}.encrypt(KeyId=KEY, Plaintext=b"x")
"""
CALL = "1. Encrypt(KeyId='12345678-1234-1234-1234-123456789012', Plaintext=b'x') in us-east-1"
ENABLED = (
    "     + resource-based policy, statement 1 ('Enable IAM User Permissions'): "
    "lets IAM policies of the account allow kms:Encrypt"
)


@pytest.mark.parametrize(
    ("call", "marker", "expected", "lines"),
    [
        pytest.param(
            "kms_client", "", "ClientError",
            [
                CALL,
                "   allowed for the default caller, arn:aws:iam::123456789012:user/Administrator:",
                ENABLED,
                "     + identity-based policy, statement 1: allows kms:Encrypt",
            ],
            id="default caller",
        ),
        pytest.param(
            "kms_mock.iam.attach('user/ann', allow('Allow', 'kms:*'), allow('Deny', 'kms:Encrpt'))"
            " or kms_mock.client(principal='user/ann')", "", "(ClientError, ValueError)",
            [
                f"{CALL} by arn:aws:iam::123456789012:user/ann",
                "   allowed:",
                ENABLED,
                "     + identity-based policy 1, statement 1: allows kms:Encrypt",
                "     ! identity-based policy 2, statement 1: unknown KMS permission 'kms:Encrpt'. "
                "Did you mean 'kms:Encrypt'?",
            ],
            id="misspelt Deny",
        ),
        pytest.param(
            "kms_mock.client(principal='role/app')", "", "ClientError",
            [
                f"{CALL} by arn:aws:sts::123456789012:assumed-role/app/pytest-kmsmock",
                "   allowed:",
                ENABLED,
                "     + grants: grant * allows the request",
            ],
            id="grant",
        ),
        pytest.param(
            "kms_client", "@pytest.mark.kms_mock(enforce_policies=False)", "ClientError",
            [
                CALL,
                "   allowed for the default caller, arn:aws:iam::123456789012:user/Administrator: "
                "enforce_policies is off",
            ],
            id="not enforced",
        ),
        pytest.param(
            "kms_client", "", "pytest.UsageError",
            [
                CALL,
                "   allowed for the default caller, arn:aws:iam::123456789012:user/Administrator:",
                ENABLED,
                "     + identity-based policy, statement 1: allows kms:Encrypt",
            ],
            id="error of the application",
        ),
        pytest.param("kms_client", "", "ValueError", [CALL, "=*"], id="no error of a client"),
    ],
)  # fmt: skip
def test_what_allowed_a_call_is_shown_if_an_error_was_expected(run, call, marker, expected, lines):
    result = run(ALLOWED.format(call=call, marker=marker, expected=expected))
    result.stdout.fnmatch_lines(["*DID NOT RAISE*"])
    result.stdout.fnmatch_lines(["1 call, none refused", "call:", *lines, "*"], consecutive=True)
