"""`--kms-report` and `--kms-policy` of a whole run."""

from __future__ import annotations

import json

import pytest

SOURCE = """
    import pytest
    from botocore.exceptions import ClientError

    @pytest.fixture(scope="session")
    def shared(session_kms_mock):
        client = session_kms_mock.client()
        key_id = client.create_key(Description="shared")["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/shared", TargetKeyId=key_id)
        return key_id

    def test_one(kms_client, shared):
        kms_client.encrypt(KeyId=shared, Plaintext=b"x", EncryptionContext={"tenant": "a"})

    def test_two(kms_client, shared):
        kms_client.create_key(Description="left")
        kms_client.encrypt(KeyId=shared, Plaintext=b"x")
        with pytest.raises(ClientError):
            kms_client.describe_key(KeyId="alias/missing")

    def test_fails(kms_client):
        kms_client.list_aliases()
        assert 0

    def test_skips(kms_client):
        kms_client.list_aliases()
        pytest.skip()

    @pytest.fixture
    def broken(kms_client):
        kms_client.list_aliases()
        assert 0

    def test_error(broken): ...

    def test_without(): ...
"""

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["kms:CreateKey", "kms:ListAliases"], "Resource": "*"},
        {
            "Effect": "Allow", "Action": "kms:CreateAlias",
            "Resource": [
                "arn:aws:kms:us-east-1:123456789012:alias/shared", "arn:aws:kms:us-east-1:123456789012:key/*",
            ],
        },
        {
            "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "arn:aws:kms:us-east-1:123456789012:key/*",
            "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/shared"}},
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize("workers", [pytest.param((), id="one-process"), pytest.param(("-n", "2"), id="xdist")])
def test_a_run_is_reported_as_table_page_and_policies(run, pytester, page_data, workers):
    result = run(SOURCE, "--kms-report=out/kms.html", "--kms-policy=out/kms.json", *workers)
    result.stdout.re_match_lines([
        r"=+ KMS calls =+",
        r"operation +calls +refused +denied +no context +tests +time",
        r"Encrypt +2 +- +- +1 +2 ",
        r"DescribeKey +1 +1 +- +- +1 ",
        r"all operations +(9|11) +1 +- +1 +5 ",
        r"calls without encryption context \(1\):",
        r"  test_it.py::test_two: Encrypt",
        r"keys never used \(1\):",
        r"  left \(SYMMETRIC_DEFAULT\) in us-east-1: test_it.py::test_two",
        r"KMS report written to .*out.kms.html",
        r"KMS policies written to .*out.kms.json",
    ])  # fmt: skip
    data = page_data(pytester.path / "out" / "kms.html")
    outcomes = {entry["test"].partition("::")[2]: entry["outcome"] for entry in data["tests"]}
    assert outcomes == {
        "test_one": "passed", "test_two": "passed", "test_fails": "failed", "test_skips": "skipped",
        "test_error": "error",
    }, "test_without called nothing"  # fmt: skip
    failed = {entry["test"].partition("::")[2] for entry in data["tests"] if entry["failure"]}
    assert failed == {"test_fails", "test_error"}
    policies = json.loads((pytester.path / "out" / "kms.json").read_text())
    assert policies["IdentityPolicies"] == {"arn:aws:iam::123456789012:user/Administrator": POLICY}
    # A policy for many tests tells keys by their aliases, and cannot know what is created.
    assert set(policies["KeyPolicyStatements"]) == {
        "arn:aws:kms:us-east-1:123456789012:alias/shared", "arn:aws:kms:us-east-1:123456789012:key/*",
    }  # fmt: skip


def test_the_table_alone(run, pytester):
    result = run(SOURCE, "--kms-report")
    result.stdout.fnmatch_lines(["all operations *"])
    result.stdout.no_fnmatch_line("*written to*")
    assert not list(pytester.path.glob("*.html"))


def test_no_report_unless_asked_for(run):
    run("def test_it(kms_client): kms_client.list_keys()").stdout.no_fnmatch_line("*KMS calls*")


def test_a_run_that_never_calls_kms(run):
    run("def test_it(): ...", "--kms-report").stdout.fnmatch_lines(["No test called KMS."])


def test_the_policies_alone(run, pytester):
    result = run("def test_it(kms_client): kms_client.list_keys()", "--kms-policy=kms.json")
    result.stdout.fnmatch_lines(["=* KMS calls =*", "KMS policies written to *kms.json"])
    result.stdout.no_fnmatch_line("all operations*")
    assert "kms:ListKeys" in (pytester.path / "kms.json").read_text()


@pytest.mark.parametrize(
    "arguments", [("--kms-report", "tests"), ("tests", "--kms-report"), ("--kms-report=", "tests")], ids=" ".join
)
def test_a_report_does_not_swallow_a_folder_of_tests(run, pytester, arguments):
    (pytester.path / "tests").mkdir()
    (pytester.path / "tests" / "conftest.py").write_text(
        "def pytest_addoption(parser): parser.addoption('--mine', action='store_true')"
    )
    (pytester.path / "tests" / "test_here.py").write_text("def test_here(): ...")
    result = run("def test_not_here(): assert 0", *arguments, "--mine")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["No test called KMS."])


def test_a_page_is_called_so(run):
    result = run("def test_it(): ...", "--kms-report=kms.txt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--kms-report=kms.txt: the report is a page; give it a name such as kms.html"])


def test_the_case_of_the_ending_is_no_matter(run, pytester):
    run("def test_it(): ...", "--kms-report=KMS.HTML")
    assert (pytester.path / "KMS.HTML").exists()


def test_collecting_tests_reports_nothing(run, pytester):
    result = run("def test_it(): ...", "--collect-only", "--kms-report=kms.html", "--kms-policy=kms.json")
    result.stdout.no_fnmatch_line("*KMS calls*")
    assert not list(pytester.path.glob("kms.*"))


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        pytest.param("--kms-policy=", "the file name is missing; give it a file, such as kms.json", id="empty"),
        pytest.param("--kms-policy=.", "this is a folder; give it a file, such as kms.json", id="folder"),
        pytest.param("--kms-policy=test_it.py/kms.json", "*test_it.py is not a directory; *", id="in a file"),
        pytest.param(f"--kms-policy={'x' * 300}", "File name too long; *", id="long"),
        pytest.param("--kms-report=pages.html", "this is a folder; give it a file, such as kms.html", id="page"),
        pytest.param("--kms-report=test_it.py/kms.html", "*test_it.py is not a directory; *", id="page in a file"),
    ],
)
def test_a_file_that_cannot_be_is_refused_before_the_run(run, pytester, argument, problem):
    pytester.mkdir("pages.html")
    result = run("def test_it(): ...", argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{argument}: {problem}"])
    result.stdout.no_fnmatch_line("*passed*")


def test_a_file_that_may_not_be_written_is_refused_before_the_run(run, pytester, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    result = run("def test_it(): ...", "--kms-policy=kms.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--kms-policy=kms.json: {pytester.path} cannot be written to; *"])


SPOILS = """
    from pathlib import Path

    def test_it(kms_client):
        kms_client.list_keys()
        for name in ("kms.json", "kms.html"):
            Path(name).mkdir()

    def test_fails():
        assert {fine}
"""


@pytest.mark.parametrize(
    ("fine", "code"),
    [
        pytest.param(True, pytest.ExitCode.USAGE_ERROR, id="passed"),
        pytest.param(False, pytest.ExitCode.TESTS_FAILED, id="failed"),
    ],
)
def test_what_cannot_be_written_after_all_costs_no_results(run, fine, code):
    result = run(SPOILS.format(fine=fine), "--kms-report=kms.html", "--kms-policy=kms.json")
    result.assert_outcomes(passed=1 + fine, failed=1 - fine)
    assert result.ret == code
    result.stdout.fnmatch_lines(
        [
            "all operations *",
            "KMS report not written: * Is a directory: *",
            "KMS policies not written: * Is a directory: *",
        ]
    )
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_the_message_of_a_failure_is_in_the_page(run, pytester, page_data):
    run("""
        import pytest

        @pytest.fixture
        def used(kms_client):
            kms_client.list_keys()
            yield
            raise ValueError("untidy")

        def test_twice(used):
            assert 1 == 2, "one is not two"

        def test_no_fixture(used, nowhere): ...
    """, "--kms-report=kms.html")  # fmt: skip
    tests = page_data(pytester.path / "kms.html")["tests"]
    failures = {entry["test"].partition("::")[2]: entry["failure"] for entry in tests}
    assert failures["test_twice"].splitlines() == [
        "AssertionError: one is not two", "assert 1 == 2", "", "teardown: ValueError: untidy",
    ]  # fmt: skip
    assert "fixture 'nowhere' not found" in failures["test_no_fixture"]
