"""The part of `KmsMock` that the ways in ask: whether a call is theirs to answer by wire, who calls, and the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.call.operation import Call, Result
from pytest_kmsmock._kms.engine.pipeline import perform
from pytest_kmsmock._runtime import environment
from pytest_kmsmock._testing.identity import credentials
from pytest_kmsmock._transport import http, json_protocol

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.caller import Caller
    from pytest_kmsmock._runtime.options import Options
    from pytest_kmsmock._testing.faults.faults import Faults
    from pytest_kmsmock._testing.faults.request_quotas import RequestQuotas
    from pytest_kmsmock._transport.endpoints import Endpoint


class Gate(ABC):
    """Where all ways in meet, before a call reaches the fake KMS."""

    options: Options
    service: FakeKms
    faults: Faults
    request_quotas: RequestQuotas
    interferes: bool  # whether there are faults or request quotas to look at
    _may_go_by_wire: bool

    @abstractmethod
    def _default_caller(self, region: str) -> Caller: ...

    def goes_by_wire(self, operation: str) -> bool:
        """Say whether a call has to go through botocore's whole request path: so that it retries what goes wrong."""
        if not self._may_go_by_wire:
            return False
        return self.options.wire or self.request_quotas.active or self.faults.concern(operation)

    def take_delay(self) -> float:
        """Return by how many seconds the answer to this thread's last call has to be late, once."""
        return self.faults.take_delay() if self.interferes else 0.0

    def set_interference(self) -> None:
        """Have faults and request quotas looked at, or nothing at all if there are none."""
        self.interferes = bool(self.faults) or self.request_quotas.active
        self.service.interference = self._interfere if self.interferes else None
        self._may_go_by_wire = self.interferes or self.options.wire

    def _interfere(self, call: Call) -> Result:
        return self.faults.carry_out(call, self._carry_out_if_admitted if self.request_quotas.active else perform)

    def _carry_out_if_admitted(self, call: Call) -> Result:
        self.request_quotas.admit(call)
        return perform(call)

    def knows(self, access_key: str | None) -> bool:
        """Say whether an access key is one of the mock's, and may sign."""
        return access_key is not None and self.secret_of(access_key) is not None

    def secret_of(self, access_key: str) -> str | None:
        """Return the secret access key that belongs to an access key of the mock's; None if it is not the mock's."""
        if access_key == environment.DUMMY_ACCESS_KEY_ID:
            return environment.DUMMY_SECRET_ACCESS_KEY
        return credentials.secret_of(access_key)

    def session_token_of(self, access_key: str) -> str | None:
        """Return the session token that has to go with an access key; None if it needs none."""
        return credentials.session_token_of(access_key)

    def answer(
        self,
        operation: str,
        members: Mapping[str, Any],
        access_key: str | None,
        region: str,
        endpoint: Endpoint | None,
        request_id: str,
    ) -> dict[str, object]:  # fmt: skip
        """Carry out a call that came in some way.

        Args:
            operation: such as `Encrypt`.
            members: the members of the request.
            access_key: the access key id of the request; None if it has none.
            region: the Region called.
            endpoint: the endpoint of AWS called; that of a VPC sets `aws:SourceVpce`.
            request_id: the id that the answer will have.

        Raises:
            KmsError: what AWS would answer.
        """
        caller = credentials.caller_of(access_key) or self._default_caller(region)
        if endpoint is not None and endpoint.vpc_endpoint is not None:
            caller = replace(caller, context={**caller.context, "aws:sourcevpce": (endpoint.vpc_endpoint,)})
        return self.service.call(operation, members, caller, region, request_id)

    def answer_http(self, request: http.HttpRequest, *, check_signature: bool = False) -> json_protocol.HttpAnswer:
        """Carry out a call that came as an HTTP request; the Region is that of the address, else of the signature."""
        return http.answer(self, request, check_signature=check_signature)
