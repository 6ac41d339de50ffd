from __future__ import annotations

import pytest

from pytest_kmsmock._report.advice import advice


@pytest.mark.parametrize(
    ("taken", "scope", "instead"),
    [
        pytest.param("kms_mock", "module", "takes module_kms_mock.", id="mock"),
        pytest.param("kms_client", "class", "takes class_kms_mock and calls class_kms_mock.client().", id="client"),
        pytest.param(
            "kms_server", "session", "takes session_kms_mock and calls session_kms_mock.serve().", id="server"
        ),
        pytest.param("module_kms_mock", "session", "takes session_kms_mock.", id="mock of a module"),
    ],
)
def test_a_mock_of_a_narrower_scope_is_told_with_the_one_to_take(run, taken, scope, instead):
    result = run(f"""
        import pytest

        @pytest.fixture(scope={scope!r})
        def keys({taken}): ...

        def test_it(keys): ...
    """)
    result.stdout.fnmatch_lines([
        "*- KMS mocks -*",
        f"A fixture of scope {scope} {instead} The kms_mock of each test begins with a copy.",
    ])  # fmt: skip


def test_fixtures_of_others_are_left_to_pytest(run):
    result = run("""
        import pytest

        @pytest.fixture
        def kms_keys(): ...

        @pytest.fixture(scope="module")
        def keys(kms_keys): ...

        def test_it(keys): ...
    """)
    result.stdout.fnmatch_lines(["*ScopeMismatch*"])
    result.stdout.no_fnmatch_line("*KMS mocks*")
    assert advice("something else", {}) == ""


CLIENT = """
import botocore.session
import pytest
from botocore.config import Config

def client(url):
    given = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "endpoint_url": url}
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    return botocore.session.Session().create_client("kms", "us-east-1", config=once, **given)
"""
UNANSWERED = "KMS calls went to {}, which the mock does not answer. To have it answer them: "


def test_endpoints_that_no_mock_answers_are_told_with_the_option_that_answers_them(run):
    result = run(f"""{CLIENT}
def test_it(kms_mock):
    for url in ("http://127.0.0.1:1", "http://localhost:1/kms/"):
        with pytest.raises(Exception, match="Could not connect"):
            client(url).list_keys()
    kms_mock.assert_called("ListKeys")

def test_of_another_kind(kms_mock):
    assert False

def test_that_passes(kms_mock):
    with pytest.raises(Exception, match="Could not connect"):
        client("http://127.0.0.1:1").list_keys()

@pytest.mark.kms_mock(endpoint_urls=["http://127.0.0.1:1"])
def test_with_the_option(kms_mock):
    client("http://127.0.0.1:1").list_keys()
    kms_mock.assert_not_called()
""", "-p", "no:randomly")  # fmt: skip
    result.assert_outcomes(passed=1, failed=3)
    told = [line for line in result.outlines if "which the mock does not answer" in line]
    urls = ["http://127.0.0.1:1", "http://localhost:1/kms"]
    assert told == [
        UNANSWERED.format(" and ".join(urls))
        + f"@pytest.mark.kms_mock(endpoint_urls={urls}), or kms_mock_endpoint_urls in the ini file."
    ]


def test_a_server_of_the_mock_is_not_told(run):
    result = run(f"""{CLIENT}
def test_it(kms_mock, kms_server):
    client(kms_server.endpoint_url).list_keys()
    assert False
""")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*KMS mocks*")
