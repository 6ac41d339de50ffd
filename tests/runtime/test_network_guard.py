"""A call without a mock is blocked with what most likely is wrong in that phase of the test."""

from __future__ import annotations

import pytest

INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\nkms_mock_block_real_calls = true"
CALL = """
import unittest

import botocore.session
import pytest

def call():
    session = botocore.session.Session()
    session.create_client("kms", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b").list_keys()
"""
GENERAL = "To answer it here, use the kms_mock fixture, @mock_kms or `with mock_kms():`."
BEFORE = (
    "It was made before the mock began: let the fixture that makes it take kms_mock, or mark the class of a "
    "setup_method with @pytest.mark.kms_mock."
)


def run(pytester: pytest.Pytester, source: str) -> str:
    pytester.makeini(INI)
    pytester.path.joinpath("test_it.py").write_text(CALL + source)
    return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", "--tb=short").stdout.str()


@pytest.mark.parametrize(
    ("source", "phase", "advice"),
    [
        pytest.param("def test_it(): call()", "call", GENERAL, id="test"),
        pytest.param(
            "@pytest.fixture\ndef keys(): call()\ndef test_it(keys, kms_mock): ...", "setup", BEFORE, id="fixture"
        ),
        pytest.param(
            "def setup_function(): call()\ndef test_it(kms_mock): ...", "setup", BEFORE, id="setup_function"
        ),
        pytest.param(
            "@pytest.fixture\ndef keys():\n    yield\n    call()\ndef test_it(keys, kms_mock): ...",
            "teardown",
            "It was made after the mock had ended: let the fixture that makes it take kms_mock.",
            id="end of a fixture",
        ),
        *(
            pytest.param(
                f"@pytest.fixture(scope={scope!r})\ndef keys(): call()\ndef test_it(keys, kms_mock): ...",
                "setup",
                f"The fixture 'keys' of scope {scope} is set up before the mock: let it take {scope}_kms_mock.",
                id=f"fixture of scope {scope}",
            )
            for scope in ("class", "module", "package", "session")
        ),
        pytest.param(
            "def setup_module(): call()\ndef test_it(kms_mock): ...",
            "setup",
            "setup_module runs before the mock: use a fixture of scope module that takes module_kms_mock.",
            id="setup_module",
        ),
    ],
)  # fmt: skip
def test_a_blocked_call_says_what_is_wrong_in_its_phase(pytester, source, phase, advice):
    message = (
        f"E   pytest_kmsmock.errors.RealKmsCall: Test test_it.py::test_it ({phase}) called KMS ListKeys outside a "
        f"mock, and kms_mock_block_real_calls is on.\n"
        f"E   {advice}\n"
        "E   To let this test reach AWS, mark it with @pytest.mark.kms_allow_real_calls.\n"
    )
    assert message in run(pytester, source)


@pytest.mark.parametrize(
    ("base", "name"),
    [
        pytest.param("unittest.TestCase", "setUpClass", id="unittest"),
        pytest.param("object", "setup_class", id="pytest"),
    ],
)
def test_a_call_for_a_whole_class_belongs_in_a_fixture(pytester, base, name):
    shown = run(
        pytester,
        f"class TestIt({base}):\n    @classmethod\n    def {name}(cls): call()\n    def test_it(self): ...",
    )
    assert f"E   {name} runs before the mock: use a fixture of scope class that takes class_kms_mock.\n" in shown


def test_a_call_at_import_belongs_in_a_test(pytester, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    shown = run(pytester, "call()")
    assert (
        "RealKmsCall: Code outside of a test called KMS ListKeys outside a mock, and kms_mock_block_real_calls is on.\n"
        "E   Make calls in a test or fixture that takes kms_mock, or in `with mock_kms():`.\n"
    ) in shown
