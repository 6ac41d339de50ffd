"""Hooks for botocore, boto3, aiobotocore, aioboto3 and the AWS CLI: handlers of two botocore events, registered once.

`before-call.kms` fires when a request is serialised and not yet signed: answering there skips signing, HTTP objects and
parsing, and is the default. `before-send.kms` has the request as it goes on the wire; it is used when the wire matters.
Both return equal responses. While no mock is active, the handlers do nothing.

A request that goes through botocore's HTTP session without a client fires no events: `URLLib3Session.send` is wrapped.
Asynchronous clients await what the handlers return, so it is `AwaitedAtOnce`.
"""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import ref

from pytest_kmsmock._kms.api.errors import MISSING_TOKEN, InjectedError, KmsError
from pytest_kmsmock._runtime import environment, network_guard
from pytest_kmsmock._transport import failures, gate, http, json_protocol, sigv4
from pytest_kmsmock._transport.endpoints import kms_endpoint
from pytest_kmsmock._transport.http import answering_mock
from pytest_kmsmock._transport.http_request import HttpRequest

from . import configuration, credential_sources, retry_backoff, shared_parts
from .responses import Answer, AwaitedAtOnce

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from pytest_kmsmock._transport.endpoints import Endpoint
    from pytest_kmsmock._transport.gate import Gate

#: Whether the current call by wire is one of an asynchronous client.
_asynchronous: ContextVar[bool] = ContextVar("kms_mock_asynchronous", default=False)
#: Parser factories with other defaults than botocore's, such as the AWS CLI's. botocore uses them only by wire.
_own_parsers: list[ref[Any]] = []


def install(session: ModuleType, early: bool, last: tuple[tuple[str, Callable[..., Any]], ...] = ()) -> None:
    """Register the handlers for all future clients, and on all existing ones.

    Clients and sessions keep a copy of botocore's handlers from the time they were made, so existing event emitters are
    looked up once, through the garbage collector.

    Args:
        session: the module `botocore.session`, of the botocore that is in use now.
        early: whether it has just been imported, so that no client can exist.
        last: further events and handlers, to be called after all others.
    """
    handlers = session.handlers
    entries: list[tuple[Any, ...]] = [*_HANDLERS, *((*entry, handlers.REGISTER_LAST) for entry in last)]
    new = [entry for entry in entries if entry not in handlers.BUILTIN_HANDLERS]
    if not new:
        return
    handlers.BUILTIN_HANDLERS.extend(new)
    factory = session.ResponseParserFactory
    if _HANDLERS[0] in new:
        configuration.install(session)
        credential_sources.install(session, early)
        shared_parts.share_event_names(session)
        factory.set_parser_defaults = _noting(factory.set_parser_defaults)
    if early:
        return
    shared_parts.adopt_default_session()
    emitter = session.HierarchicalEmitter
    # Objects refer to their class: finding these referrers is much faster than looking at all objects.
    for candidate in gc.get_referrers(*_family(emitter), *_family(factory)):
        if issubclass(type(candidate), emitter):
            for event, handler, *when in new:
                register = candidate.register_last if when else candidate.register_first
                register(event, handler)
        elif issubclass(type(candidate), factory) and candidate._defaults:  # noqa: SLF001
            _note_own_parser(candidate)


def install_below(httpsession: ModuleType, _early: bool) -> None:
    """Answer requests that use the HTTP session of `botocore.httpsession` without a client."""
    send = httpsession.URLLib3Session.send
    if not getattr(send, "is_kms_hook", False):
        httpsession.URLLib3Session.send = _answering(send)


def _note_own_parser(factory: Any) -> None:
    _own_parsers.append(ref(factory, _own_parsers.remove))


def _family(kind: type) -> Iterator[type]:
    """Yield a class and all its subclasses."""
    yield kind
    deriving: list[type] = kind.__subclasses__()
    for derived in deriving:
        yield from _family(derived)


def _noting(set_parser_defaults: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the method that sets the defaults of a parser factory, to record factories that have their own."""

    @functools.wraps(set_parser_defaults)
    def set_and_note(factory: Any, **defaults: Any) -> Any:
        _note_own_parser(factory)
        return set_parser_defaults(factory, **defaults)

    return set_and_note


def before_call(
    model: Any, params: dict[str, Any], request_signer: Any, context: dict[str, Any], **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call before it is signed, or let it go by wire."""
    mock = gate.current()
    if mock is None:
        to_aws = kms_endpoint(params["url"]) is not None
        access_key = access_key_of(request_signer._credentials) if to_aws else None  # noqa: SLF001 - as below
        network_guard.check_real_call(model.name, access_key)
        return None
    url = params["url"]
    endpoint = kms_endpoint(url)
    if endpoint is None and not configuration.is_answered(mock, url):
        network_guard.note_passed(url)
        return None
    if endpoint is not None and endpoint.unknown and endpoint.region != mock.options.region:
        raise failures.botocore_error(failures.unknown_region(endpoint), url)
    credentials = request_signer._credentials  # noqa: SLF001 - the signer has no public attribute for them
    if credentials is None and "AWS_ACCESS_KEY_ID" not in os.environ and not credential_sources.is_cleared():
        return None  # the test took the credentials away: botocore raises NoCredentialsError, as it would for AWS
    access_key = access_key_of(credentials)
    if _own_parsers or mock.goes_by_wire(model.name):
        asynchronous = type(request_signer).__module__.startswith("aiobotocore")
        if asynchronous is not _asynchronous.get():
            _asynchronous.set(asynchronous)
        if not mock.knows(access_key):
            # Real credentials must not sign anything, not even a request that stays in this process.
            context.setdefault("signing", {})["request_credentials"] = _StandIn(access_key)
        return None
    region = endpoint.region if endpoint else context.get("client_region") or mock.region
    refusal = None
    if is_unsigned(context, request_signer):
        refusal = MISSING_TOKEN()
    elif endpoint is not None and request_signer.region_name != region:
        refusal = sigv4.wrong_region(request_signer.region_name)
    return _answer(mock, model.name, params["body"], access_key, region, url, endpoint, refusal)


def access_key_of(credentials: Any) -> str | None:
    """Return the current access key of credentials, without refreshing them, which may go over the network."""
    if hasattr(credentials, "_access_key"):  # refreshable credentials
        refreshable: str | None = credentials._access_key  # noqa: SLF001 - the property refreshes
        return refreshable
    access_key: str | None = getattr(credentials, "access_key", None)
    return access_key


def is_unsigned(context: Mapping[str, Any], request_signer: Any) -> bool:
    """Say whether a call will not be signed, because its operation or the client's configuration says so."""
    # A version is a string; `botocore.UNSIGNED` is not.
    return context.get("auth_type") == "none" or not isinstance(request_signer.signature_version, str)


def _answer(
    mock: Gate, operation: str, body: bytes, access_key: str | None, region: str, url: str,
    endpoint: Endpoint | None, refusal: KmsError | None,
) -> tuple[AWSResponse, dict[str, Any]]:  # fmt: skip
    request_id = mock.service.new_request_id()
    try:
        if refusal is not None:
            raise refusal
        result = mock.answer(operation, json_protocol.read_body(body), access_key, region, endpoint, request_id)
        status, members, length = 200, json_protocol.parsed(operation, result), json_protocol.length(result)
    except KmsError as error:
        status, members = error.status, json_protocol.parsed_error(error)
        length = len(json_protocol.error_body(error))
    headers = json_protocol.headers(request_id, mock.service.clock.timestamp(), length)
    members["ResponseMetadata"] = {
        "RequestId": request_id,
        "HTTPStatusCode": status,
        "HTTPHeaders": headers,
        "RetryAttempts": 0,
    }
    return Answer(url, status, headers), members


def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | Awaitable[AWSResponse] | None:
    """Answer a call on the wire."""
    mock = gate.current()  # without one, `before_call` has called the guard already
    if mock is None or (kms_endpoint(request.url) is None and not configuration.is_answered(mock, request.url)):
        return None
    sent = HttpRequest(request.method, request.url, _plain(request.headers), request.body)
    return _answer_raw(mock, sent, asynchronous=_asynchronous.get())


def _plain(headers: Any) -> Mapping[str, str | bytes]:
    """Return headers by lower-case name: all at once, since a look-up in botocore's headers takes five calls."""
    try:
        return {name._lower: value for name, value in headers._dict.items()}  # noqa: SLF001 - nothing else is as fast
    except AttributeError:
        given: Mapping[str, str | bytes] = headers
        return given  # not botocore's, or of a release that stores them differently


def _answering(send: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method that sends a request, so that the mock answers KMS requests."""

    @functools.wraps(send)
    def send_or_answer(session: Any, request: AWSPreparedRequest) -> Any:
        # Without the body: that of a request to another service may be a stream, which must not be read here.
        mock = answering_mock(HttpRequest(request.method, request.url, request.headers, None))
        if mock is None:
            return send(session, request)
        sent = HttpRequest(request.method, request.url, request.headers, request.body)
        return _answer_raw(mock, sent, asynchronous=False)

    vars(send_or_answer)["is_kms_hook"] = True
    return send_or_answer


def _answer_raw(mock: Gate, request: HttpRequest, *, asynchronous: bool) -> AWSResponse | Awaitable[AWSResponse]:
    outcome: AWSResponse | Exception
    try:
        status, headers, body = http.answer(mock, request)
    except InjectedError as error:
        outcome = failures.botocore_error(error, request.url)
    else:
        outcome = Answer(request.url, status, headers, body)
        if not mock.interferes:
            return outcome
    return failures.deliver(outcome, mock.take_delay(), asynchronous=asynchronous)


class _StandIn(AwaitedAtOnce):
    """Credentials with the user's access key, which identifies the caller, and a dummy secret."""

    __slots__ = ("access_key",)
    secret_key = environment.DUMMY_SECRET_ACCESS_KEY
    token = None

    def __init__(self, access_key: str | None) -> None:
        self.access_key = access_key or environment.DUMMY_ACCESS_KEY_ID

    def get_frozen_credentials(self) -> _StandIn:
        """Return what signers read."""
        return self


_HANDLERS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("before-call.kms", before_call),
    ("before-send.kms", before_send),
    ("needs-retry", retry_backoff.note_attempt),
)
