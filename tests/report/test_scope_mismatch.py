from __future__ import annotations

import pytest

from pytest_kmsmock._report.scope_mismatch import advice


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
    assert advice("something else") == ""
