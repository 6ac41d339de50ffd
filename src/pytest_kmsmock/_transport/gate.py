"""What the ways in know of a mock: whether a call goes by wire, who may sign, and how to get its answer.

`_mock.core.MockCore` is what implements it; a way in never sees `KmsMock`.
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
    """A mock, as the ways in see it.

    Attributes:
        options: its options.
        service: the fake KMS.
        outer: the mock that it is nested in, if any.
        active: whether it answers calls.
        interferes: whether there are faults or request quotas to look at.
    """

    options: Options
    service: FakeKms
    active: bool
    interferes: bool

    @property
    def outer(self) -> Gate | None:
        """The mock that it is nested in, if any."""

    @property
    def region(self) -> str:
        """The default Region, such as `us-east-1`."""

    @property
    def children_environment(self) -> Mapping[str, str]:
        """The environment variables that lead child processes to the mock; empty if it is not shared with them."""

    @property
    def skips_backoff(self) -> bool:
        """Whether the delays that botocore makes before a retry are skipped."""

    def skip_backoff(self, seconds: float) -> bool:
        """Note a delay that botocore wants to make before it retries; say whether it is to be skipped."""

    def goes_by_wire(self, operation: str) -> bool:
        """Say whether a call has to go through botocore's whole request path, so that it retries what fails."""

    def take_delay(self) -> float:
        """Return by how many seconds the answer to this thread's last call is late, once."""

    def requester(self, access_key: str | None, region: str) -> Caller:
        """Return whom a request with an access key to a Region comes from."""

    def role_session(self, role: str, name: str) -> Caller:
        """Return the session of a role that a service assumes, such as the execution role of a function."""

    def knows(self, access_key: str | None) -> bool:
        """Say whether an access key is one of the mock's, and may sign."""

    def secret_of(self, access_key: str) -> str | None:
        """Return the secret access key of an access key of the mock's; None if it is not the mock's."""

    def session_token_of(self, access_key: str) -> str | None:
        """Return the session token that has to go with an access key; None if it needs none."""

    def call_sts(
        self, action: str, parameters: Mapping[str, str], access_key: str, region: str
    ) -> Mapping[str, object]:  # fmt: skip
        """Carry out an operation of AWS STS; the parameters are those of its query protocol.

        Raises:
            KmsError: with the code and text of STS.
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
        """Carry out a call.

        Args:
            operation: such as `Encrypt`.
            params: the parameters of the request.
            access_key: the access key id of the request; None if it has none.
            region: the Region called.
            endpoint: the endpoint of AWS called; that of a VPC sets `aws:SourceVpce`.
            request_id: the id that the answer will have.

        Raises:
            KmsError: what AWS would answer.
        """


#: Returns the mock that answers calls made here and now; None if no mock is active.
current = cast("Callable[[], Gate | None]", active_mocks.current)
