"""A suite that was written for moto alone passes beside the mock, but for the tests that pass wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

SUITE = Path(__file__).parent / "moto_suite"

#: Tests that pass with moto alone, and why AWS refuses what they do.
WRONG = {
    "test_a_role_that_may_only_encrypt_decrypts": "no policy of the role allows kms:Decrypt",
    "test_a_role_without_policies_describes_a_key": "no policy of the role allows kms:DescribeKey",
    "test_a_disabled_key_encrypts": "a disabled key cannot be used: DisabledException",
    "test_an_object_with_a_key_that_does_not_exist": "S3 cannot find the key: KMS.NotFoundException",
}

#: How the mock comes beside moto -> the fixtures that each test of the suite gets first.
ORDERS = {"moto inside": ["kms_mock"], "moto outside": ["aws", "kms_mock"]}


class Beside:
    """Gives each test of a run some fixtures, and keeps which tests passed and failed."""

    def __init__(self, fixtures: list[str]) -> None:
        self.fixtures, self.passed, self.failed = fixtures, set[str](), set[str]()

    @pytest.fixture(autouse=True)
    def kms_beside(self, request: pytest.FixtureRequest) -> None:
        for name in self.fixtures:
            request.getfixturevalue(name)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("::")[2].partition("[")[0]
        if report.failed:
            self.failed.add(name)
        elif report.when == "call":
            self.passed.add(name)


def run(monkeypatch: pytest.MonkeyPatch, fixtures: list[str], *arguments: str) -> Beside:
    """Run the suite, a project of its own, in this process: each other one would import moto and read its models."""
    monkeypatch.syspath_prepend(SUITE.parent)
    settings = ["-c", "/dev/null", "-o", "asyncio_default_fixture_loop_scope=function", "-p", "no:randomly"]
    place = [f"--rootdir={SUITE}", f"--confcutdir={SUITE}", str(SUITE)]
    beside = Beside(fixtures)
    pytest.main(["-q", "-p", "no:cacheprovider", *settings, *arguments, *place], plugins=[beside])
    return beside


def test_the_suite_passes_without_a_mock(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(monkeypatch, [], "-p", "no:kmsmock")
    assert found.failed == set()
    assert len(found.passed) >= 20


@pytest.mark.parametrize("order", ORDERS)
def test_it_passes_unchanged_but_for_what_aws_refuses(monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    assert run(monkeypatch, ORDERS[order]).failed == WRONG.keys()
