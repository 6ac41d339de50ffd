"""Keeping KMS calls from leaving the process: past a mock, and outside of one if `kms_mock_block_real_calls` is on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from pytest_kmsmock.errors import NotActive, RealKmsCall, RealKmsConnection

from . import active_mocks, environment

blocking = False  # set by the plugin for the session
allowed = False  # set by the plugin while a test marked kms_allow_real_calls runs
others: list[Callable[[], bool]] = []  # say whether somebody else answers KMS calls in this process, as moto does
issued = {environment.DUMMY_ACCESS_KEY_ID}  # the access keys that mocks gave out; AWS knows none of them
outside: str | None = None  # what runs now that was to run in a mock and does not, such as `TestOrders.setUpClass`
#: Endpoints other than AWS's that KMS calls of the current test went to while a mock was active.
passed: dict[str, None] = {}
parent: str | None = None  # in a child process that a test has started: who started it

fixture: tuple[str, str] | None = None  # name and scope of the fixture of a wider scope that is being set up

_LEFT = (
    "The client's mock has ended, and AWS does not know its credentials. If the application keeps its client between "
    "tests, let this test take kms_mock too. A fixture that makes the client has to `yield` it inside of "
    "`with mock_kms():`, not return it."
)
#: What most likely is wrong, by the phase of the test in which a call is made without a mock.
_ADVICE = {
    "setup": (
        "It was made before the mock began: let the fixture that makes it take kms_mock, or mark the class of a "
        "setup_method with @pytest.mark.kms_mock."
    ),
    "call": "To answer it here, use the kms_mock fixture, @mock_kms or `with mock_kms():`.",
    "teardown": "It was made after the mock had ended: let the fixture that makes it take kms_mock.",
    "": "Make calls in a test or fixture that takes kms_mock, or in `with mock_kms():`.",
}
_SERVER = (
    "To answer it here, point it at the fixture kms_server or kms_mock.serve() (`endpoint_url`). "
    "To let the test reach AWS, mark it with @pytest.mark.kms_allow_real_calls."
)


def check_real_call(operation: str, access_key: str | None = None) -> None:
    """Refuse a real call if they are blocked, and one that was meant for a mock. Calls that moto answers pass.

    Args:
        operation: the operation.
        access_key: the access key that the call would be signed with; None if it goes to another endpoint than AWS's.

    Raises:
        NotActive: the client has credentials of a mock that has ended, or the call is made where no mock is yet.
        RealKmsCall: naming the test, the operation and what to do.
    """
    if any(answers() for answers in others):
        return
    if outside is not None:
        raise NotActive(
            f"{outside} called KMS {operation} outside of any mock: @mock_kms on a class gives each test a mock of its "
            "own, from its setUp or setup_method to its end. Make there what each test needs; for all tests of a class "
            "use the fixture class_kms_mock."
        )
    if access_key in issued:
        raise NotActive(f"{_place()} called KMS {operation} outside a mock. {_LEFT}")
    if blocking and not allowed:
        raise RealKmsCall(operation, _place(), _advice())


def note_passed(url: str) -> None:
    """Record a KMS call to an endpoint that the active mock does not answer, unless a mock serves it."""
    served = {server.endpoint_url for mock in active_mocks.active() for server in mock.servers}
    if (endpoint := url.rstrip("/")) not in served:
        passed[endpoint] = None


def check_look_up(host: str, *, inside_mock: bool) -> None:
    """Refuse to look up a KMS endpoint past a mock, where calls are blocked, and in a child of a test.

    Args:
        host: the name of the endpoint.
        inside_mock: whether a mock is active.

    Raises:
        RealKmsConnection: naming the test, the endpoint and what to do.
    """
    if allowed:
        return
    if inside_mock:
        raise RealKmsConnection(
            f"{_place()} was about to connect to {host}, past the active mock: botocore, boto3, aiobotocore, aioboto3 "
            f"and requests are answered in this process, other HTTP libraries are not.\n{_SERVER}"
        )
    if parent is not None:
        raise RealKmsConnection(
            f"A process that {parent} started was about to connect to {host}: a mock does not reach into processes "
            "started by spawn or forkserver.\nUse mock_kms(share_with_children=True), which serves the mock to them."
        )
    if blocking:
        raise RealKmsConnection(
            f"{_place()} was about to connect to {host}, and kms_mock_block_real_calls is on.\n{_SERVER}"
        )


def _advice() -> str:
    """Return what most likely is to be done about a call without a mock."""
    if fixture is None:
        phase = re.search(_PHASE, os.environ.get("PYTEST_CURRENT_TEST", ""))
        return _ADVICE["" if phase is None else phase[1]]
    name, scope = fixture
    function = re.match(_XUNIT, name)
    if function is not None:
        return f"{function[1]} runs before the mock: use a fixture of scope {scope} that takes {scope}_kms_mock."
    return f"The fixture {name!r} of scope {scope} is set up before the mock: let it take {scope}_kms_mock."


#: Names that pytest gives to the fixtures which call `setup_module`, `setup_class` and `setUpClass`.
_XUNIT = "_(?:xunit|unittest)_(set[uU]p_?[a-zA-Z]+)_fixture_"
_PHASE = r"\((setup|call|teardown)\)$"


def _place() -> str:
    test = os.environ.get("PYTEST_CURRENT_TEST")
    return f"Test {test}" if test else "Code outside of a test"
