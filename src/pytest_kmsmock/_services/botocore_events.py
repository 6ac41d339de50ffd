"""The KMS calls of a botocore call to a service: before it is sent, and after its response.

An error before the call prevents that moto executes it. An error after the call replaces the response.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._moto.settings import is_active
from pytest_kmsmock._transport import failures
from pytest_kmsmock._transport.endpoints import has_prefix, is_aws_host
from pytest_kmsmock._transport.hooks.botocore_hook import access_key_of, is_unsigned
from pytest_kmsmock._transport.hooks.responses import Answer

from . import catalog, engine, error_mapping
from .api import Api, asking
from .error_mapping import Answered, ServiceError
from .request import Request

if TYPE_CHECKING:
    from pytest_kmsmock._transport.gate import Gate

#: Signature Version 2, as S3 clients name it.
_OLD_SIGNATURES = ("s3", "s3-query", "v2")


def begin(
    mock: Gate, name: str, model: Any, params: Mapping[str, Any], sent: dict[str, Any], signer: Any,
    context: Mapping[str, Any],
) -> tuple[Request | None, Any]:  # fmt: skip
    """Make the KMS calls before a call is sent.

    Args:
        mock: the active mock.
        name: botocore's name of the service.
        model: the operation's model.
        params: the parameters.
        sent: botocore's request dict; not signed yet.
        signer: botocore's signer.
        context: the context of the call.

    Returns:
        The request, for `end`; None if nothing is left to do after the response. And the response if KMS refuses, else
        None; an awaitable if it is delayed and the client asynchronous.
    """
    service, url = catalog.service(name), sent["url"]
    if asking.get() or not is_beside(mock, url):
        return None, None
    catalog.prepare(name)
    if model.name not in service.rules:
        return None, None
    credentials = signer._credentials  # noqa: SLF001 - the signer shows them nowhere else
    region = context.get("client_region") or mock.region
    request = Request(
        mock, name, service.name, model.name, params, region, access_key_of(credentials), sent,
        Api(name, region, url, credentials),
        signed=not is_unsigned(context, signer) and signer.signature_version not in _OLD_SIGNATURES,
        signer=signer, model=model, is_retried=_is_retried,
    )  # fmt: skip
    outcome = None
    try:
        engine.before(request)
    except ServiceError as error:
        outcome = _refused(request, error)
    except Answered as answered:
        outcome = _answered(answered, url)
    if outcome is not None:
        outcome[1]["ResponseMetadata"]["RetryAttempts"] = request.retries
    late = _late(request, outcome) if request.delay else outcome
    return (request if outcome is None else None), late


def end(request: Request, response: Any, parsed: dict[str, Any], context: dict[str, Any]) -> Any:
    """Make the KMS calls after a successful response.

    Args:
        request: the request that `begin` returned.
        response: the HTTP response.
        parsed: the parsed response, which is changed.
        context: the context of the call.

    Returns:
        None; an awaitable if the response is delayed and the client asynchronous.
    """
    request.answer = parsed
    try:
        engine.after(request)
    except ServiceError as error:
        answer, refused = _refused(request, error)
        response.status_code, response.headers, response._content = error.status, answer.headers, answer.content  # noqa: SLF001
        parsed.clear()
        parsed.update(refused)
        if "QueryErrorCode" in refused["Error"]:  # botocore's own handler of this event has been here already
            context["error_code_override"] = refused["Error"]["QueryErrorCode"]
    except Answered as answered:
        kept = {**answered.members, "ResponseMetadata": parsed["ResponseMetadata"]}
        parsed.clear()
        parsed.update(kept)
    if request.retries:
        parsed["ResponseMetadata"]["RetryAttempts"] += request.retries
    return _late(request, None) if request.delay else None


def is_beside(mock: Gate, url: str) -> bool:
    """Say whether a mock applies to a URL: moto answers it in this process, or it is in the option `endpoint_urls`."""
    if is_aws_host(url.split("/", 3)[2]):
        return is_active()
    return has_prefix(url, mock.options.endpoint_urls)


def _late(request: Request, outcome: Any) -> Any:
    delay, request.delay = request.delay, 0.0
    asynchronous = type(request.signer).__module__.startswith("aiobotocore")
    return failures.deliver(outcome, delay, asynchronous=asynchronous)


def _answered(answered: Answered, url: str) -> tuple[Answer, dict[str, Any]]:
    headers = {"x-amzn-requestid": answered.request_id}
    metadata = {"RequestId": answered.request_id, "HTTPStatusCode": 200, "HTTPHeaders": headers, "RetryAttempts": 0}
    return Answer(url, 200, headers), {**answered.members, "ResponseMetadata": metadata}


def _refused(request: Request, error: ServiceError) -> tuple[Answer, dict[str, Any]]:
    if error.response is None:
        metadata = request.model.service_model
        protocol = getattr(metadata, "resolved_protocol", None) or metadata.protocol
        new_id = request.mock.service.new_request_id
        headers, body = error_mapping.write(error, protocol, request.sent["method"], new_id)
        parsed = error_mapping.parse(error, headers, body, protocol, request.model)
        error.response = Answer(request.sent["url"], error.status, headers, body), parsed
    return error.response


def _is_retried(request: Request, error: ServiceError) -> bool:
    """Say whether the client sends a request again after an error: its handlers decide, as after any response."""
    from botocore.hooks import first_non_none_response

    model, emitter = request.model, request.signer._event_emitter  # noqa: SLF001 - the client's own
    emitted = emitter.emit(
        f"needs-retry.{model.service_model.service_id.hyphenize()}.{model.name}",
        response=_refused(request, error), endpoint=None, operation=model, attempts=request.retries + 1,
        caught_exception=None, request_dict=request.sent,
    )  # fmt: skip
    backoff = first_non_none_response(_at_once(emitted))
    if backoff is None or backoff is False:
        return False
    request.retries += 1
    if not request.mock.skip_backoff(backoff):
        request.delay += backoff
    return True


def _at_once(emitted: Any) -> Any:
    """Return the responses of event handlers; those of an asynchronous client have nothing to wait for."""
    if not inspect.iscoroutine(emitted):
        return emitted
    try:
        emitted.send(None)
    except StopIteration as done:
        return done.value
    emitted.close()
    return ()
