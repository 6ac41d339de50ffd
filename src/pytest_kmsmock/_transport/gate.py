"""`Gate`: the interface of a mock for the transports.

`_mock.core.MockCore` implements it; transports never use `KmsMock`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from pytest_kmsmock._runtime import active_mocks

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.caller import Caller
    from pytest_kmsmock._runtime.options import Options

    from .endpoints import Endpoint


class Gate(Protocol):
    """A mock, for the transports.

    Attributes:
        options: its options.
        service: the fake KMS.
        outer: the mock that it is nested in, if any.
        active: whether it answers calls.
        interferes: whether there are faults or request quotas.
        servers: its HTTP endpoints that run.
    """

    options: Options
    service: FakeKms
    active: bool
    interferes: bool
    servers: list[Any]

    @property
    def outer(self) -> Gate | None:
        """The mock that it is nested in, if any."""

    @property
    def region(self) -> str:
        """The default Region, such as `us-east-1`."""

    @property
    def children_environment(self) -> Mapping[str, str]:
        """The environment variables that point child processes at the mock; empty if it is not shared with them."""

    @property
    def skips_backoff(self) -> bool:
        """Whether botocore's retry backoff is skipped."""

    def skip_backoff(self, seconds: float) -> bool:
        """Note a delay of botocore's retry backoff; say whether to skip it."""

    def goes_by_wire(self, operation: str) -> bool:
        """Say whether a call has to go through botocore's whole request path, so that botocore retries failures."""

    def take_delay(self) -> float:
        """Return the delay of the answer to this thread's last call, in seconds, and reset it."""

    def requester(self, access_key: str | None, region: str) -> Caller:
        """Return the caller of a request with an access key to a Region."""

    def role_session(self, role: str, name: str) -> Caller:
        """Return the session of a role that a service assumes, such as the execution role of a Lambda function."""

    def knows(self, access_key: str | None) -> bool:
        """Say whether an access key is the mock's, and may sign requests."""

    def secret_of(self, access_key: str) -> str | None:
        """Return the secret access key of an access key of the mock's; None if it is not the mock's."""

    def session_token_of(self, access_key: str) -> str | None:
        """Return the session token that belongs to an access key; None if it has none."""

    def call_sts(
        self, action: str, parameters: Mapping[str, str], access_key: str, region: str
    ) -> Mapping[str, object]:  # fmt: skip
        """Call an operation of AWS STS; the parameters are those of its query protocol.

        Raises:
            KmsError: with the code and message of STS.
        """

    def answer(
        self,
        operation: str,
        params: Mapping[str, Any],
        access_key: str | None,
        region: str,
        endpoint: Endpoint | None,
        request_id: str,
    ) -> dict[str, object]:
        """Make a call.

        Args:
            operation: such as `Encrypt`.
            params: the parameters of the request.
            access_key: the access key id that signed the request; None if there is none.
            region: the Region called.
            endpoint: the endpoint of AWS that was called; a VPC endpoint sets `aws:SourceVpce`.
            request_id: the request id of the answer.

        Raises:
            KmsError: the error of AWS.
        """


#: Returns the mock that answers calls made here and now; None if no mock is active.
current = cast("Callable[[], Gate | None]", active_mocks.current)
