"""A mock that nobody stopped is an error at the end of its test, and is stopped."""

from __future__ import annotations

import pytest

FORGETFUL = """
    import threading
    import unittest
    import pytest
    from pytest_kmsmock import mock_kms
    from pytest_kmsmock._runtime import active_mocks

    def test_forgets():
        mock_kms().start()

    @pytest.fixture
    def started():
        mock_kms().start()
        mock_kms(fresh=True).start()

    def test_with_a_fixture_that_forgets(started): ...

    class TestSetUp(unittest.TestCase):
        def setUp(self):
            self.mock = mock_kms()
            self.mock.start()

        def test_that_stops(self):
            self.mock.stop()

        def test_that_forgets(self): ...

    def test_fails_and_forgets():
        mock_kms().start()
        assert 0

    @pytest.fixture
    def broken():
        yield
        mock_kms().start()
        raise RuntimeError("of the tear-down")

    def test_whose_tear_down_fails(broken): ...

    def test_next():
        assert active_mocks.active() == ()
"""


def test_the_test_has_an_error_and_the_next_one_no_mock(run):
    result = run(FORGETFUL)
    result.assert_outcomes(passed=6, failed=1, errors=5)
    result.stdout.re_match_lines([
        r"_+ ERROR at teardown of test_forgets _+",
        r"E +.*MockNotStopped: Test test_it.py::test_forgets started a KMS mock and did not stop it\. It is .*",
        r"E +Use `with mock_kms\(\):`.*",
    ])  # fmt: skip
    result.stdout.re_match_lines_random([
        r"ERROR test_it.py::test_with_a_fixture_that_forgets - .*",
        r"ERROR test_it.py::TestSetUp::test_that_forgets - .*",
        r"ERROR test_it.py::test_fails_and_forgets - .*",
        r"E +RuntimeError: of the tear-down",
        r"E +.*Test test_it.py::test_whose_tear_down_fails started a KMS mock.*",
    ])  # fmt: skip


WIDE = """
    import pytest
    from pytest_kmsmock import mock_kms
    from pytest_kmsmock._runtime import active_mocks

    @pytest.fixture(scope="module", autouse=True)
    def forgotten():
        mock_kms().start()

    @pytest.fixture(scope="module")
    def stopped(outer):
        with mock_kms() as kms:
            yield kms

    @pytest.fixture(scope="module")
    def outer():
        with mock_kms() as kms:
            yield kms

    def setup_module():
        global mock
        mock = mock_kms()
        mock.start()

    def teardown_module():
        mock.stop()

    def test_one(request):
        request.getfixturevalue("stopped")
        with mock_kms():
            pass

    def test_two():
        assert len(active_mocks.active()) == 4
"""


def test_a_mock_of_a_wider_fixture_goes_on_until_the_fixture_ends(run):
    result = run(WIDE)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.re_match_lines([
        r"_+ ERROR at teardown of test_two _+",
        r"E +.*MockNotStopped: Fixture 'forgotten' of scope module, set up for test test_it.py::test_one, started a .*",
    ])  # fmt: skip


ELSEWHERE = """
    import threading
    from pytest_kmsmock import mock_kms

    mock = mock_kms()
    mock.start()  # at collection

    def test_a_mock_of_another_thread():
        def serve():
            with mock_kms():
                entered.set()
                ended.wait(10)
        entered, ended = threading.Event(), threading.Event()
        threads.append((threading.Thread(target=serve), ended))
        threads[0][0].start()
        entered.wait(10)

    threads = []

    def test_last():
        threads[0][1].set()
        threads[0][0].join()
        mock.stop()
"""


def test_what_no_test_started_is_nobodys_fault(run):
    run(ELSEWHERE, "-p", "no:randomly").assert_outcomes(passed=2)


def test_stopping_it_afterwards_does_no_harm(run):
    source = """
        import pytest
        from pytest_kmsmock import mock_kms

        mock = mock_kms(share_with_children=True)

        def test_forgets():
            mock.start()

        def test_stops():
            mock.stop()
    """
    run(source).assert_outcomes(passed=2, errors=1)


@pytest.mark.parametrize("scope", ["function", "module"])
def test_a_fixture_that_stops_its_mock_is_fine(run, scope):
    source = f"""
        import pytest
        from pytest_kmsmock import mock_kms

        @pytest.fixture(scope={scope!r})
        def kms():
            mock = mock_kms()
            yield mock.start()
            mock.stop()

        def test_one(kms): ...
        def test_two(kms): ...
    """
    run(source).assert_outcomes(passed=2)
