"""A request to a service, as the steps of its table receive it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._moto.settings import account_of, read

from . import data_keys
from .api import Api

if TYPE_CHECKING:
    from pytest_kmsmock._moto.settings import Api as AnyApi
    from pytest_kmsmock._transport.gate import Gate

    from .error_mapping import ServiceError
    from .protected import DataKey


class Request:
    """A request to a service.

    Attributes:
        mock: the mock that decides.
        service: botocore's name of the service.
        via: its name in `kms:ViaService`.
        operation: the operation.
        params: the parameters, as passed to the client.
        region: the Region of the client.
        access_key: the access key that signs it; None for an anonymous request.
        sent: botocore's request dict; its `headers` and `body` may be changed until it is sent.
        signed: whether it is signed with Signature Version 4.
        signer: botocore's signer, whose module tells asynchronous clients; None elsewhere.
        model: botocore's model of the operation; None elsewhere.
        is_retried: says whether the client sends the request again after an error.
        api: calls the service's API at the endpoint of the request.
        answer: the parsed response of the service, once there is one.
        notes: values that one step stores for another.
        delay: the seconds that faults and retries delay the response.
        retries: how often the client has sent it again.
    """

    __slots__ = (
        "__dict__", "access_key", "answer", "api", "delay", "is_retried", "mock", "model", "notes",
        "operation", "params", "region", "retries", "sent", "service", "signed", "signer", "via",
    )  # fmt: skip

    def __init__(
        self, mock: Gate, service: str, via: str, operation: str, params: Mapping[str, Any], region: str,
        access_key: str | None, sent: MutableMapping[str, Any], api: AnyApi, *, signed: bool,
        signer: Any = None, model: Any = None, is_retried: Callable[[Request, ServiceError], bool] | None = None,
    ) -> None:  # fmt: skip
        self.mock, self.service, self.via, self.operation, self.params = mock, service, via, operation, params
        self.region, self.access_key, self.sent, self.api = region, access_key, sent, api
        self.signed, self.signer, self.model, self.is_retried = signed, signer, model, is_retried
        self.answer: dict[str, Any] = {}
        self.notes: dict[str, Any] = {}
        self.delay = 0.0
        self.retries = 0

    @functools.cached_property
    def caller(self) -> Caller:
        """The caller of the service."""
        return self.mock.requester(self.access_key, self.region)

    @property
    def headers(self) -> MutableMapping[str, Any]:
        """The HTTP headers; they may be changed until the request is sent."""
        headers: MutableMapping[str, Any] = self.sent["headers"]
        return headers

    @functools.cached_property
    def account(self) -> str:
        """The account in which the service executes the request."""
        return read(lambda: account_of(self.access_key), lambda: self.caller.account)

    @functools.cached_property
    def forwarded(self) -> Caller:
        """The caller in a forward access session of the service."""
        return self.caller.forwarded_by(self.via)

    def through(self, service: str, operation: str) -> Request:
        """Return the request of this service to another one, in a forward access session of the caller."""
        api = self.api
        assert isinstance(api, Api), "a request of a client"
        made = Request(
            self.mock, service, service, operation, {}, self.region, self.access_key, {},
            api._replace(service=service), signed=True,
        )  # fmt: skip
        vars(made)["caller"] = self.forwarded
        return made

    def keep(self, name: tuple[str, ...], data_key: DataKey) -> None:
        """Store the data key of a resource."""
        data_keys.keep(self.mock, (self.service, *name), data_key)

    def kept(self, name: tuple[str, ...]) -> DataKey | None:
        """Return the stored data key of a resource; None if there is none."""
        return data_keys.kept(self.mock, (self.service, *name))
