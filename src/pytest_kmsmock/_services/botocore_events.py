"""The KMS calls of a botocore call to a service: before it is sent, and after its response.

An error before the call prevents that moto executes it. An error after the call replaces the response.
"""

from __future__ import annotations

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
        signer=signer,
    )  # fmt: skip
    outcome = None
    try:
        engine.before(request)
    except ServiceError as error:
        outcome = _refused(error, model, sent["method"], url)
    except Answered as answered:
        outcome = _answered(answered, url)
    late = _late(request, outcome) if request.delay else outcome
    return (request if outcome is None else None), late


def end(request: Request, response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any]) -> Any:
    """Make the KMS calls after a successful response.

    Args:
        request: the request that `begin` returned.
        response: the HTTP response.
        parsed: the parsed response, which is changed.
        model: the operation's model.
        context: the context of the call.

    Returns:
        None; an awaitable if the response is delayed and the client asynchronous.
    """
    request.answer = parsed
    try:
        engine.after(request)
    except ServiceError as error:
        answer, refused = _refused(error, model, model.http.get("method", "POST"), response.url)
        response.status_code, response.headers, response._content = error.status, answer.headers, answer.content  # noqa: SLF001
        parsed.clear()
        parsed.update(refused)
        if "QueryErrorCode" in refused["Error"]:  # botocore's own handler of this event has been here already
            context["error_code_override"] = refused["Error"]["QueryErrorCode"]
    except Answered as answered:
        kept = {**answered.members, "ResponseMetadata": parsed["ResponseMetadata"]}
        parsed.clear()
        parsed.update(kept)
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


def _refused(error: ServiceError, model: Any, method: str, url: str) -> tuple[Answer, dict[str, Any]]:
    metadata = model.service_model
    protocol = getattr(metadata, "resolved_protocol", None) or metadata.protocol
    headers, body = error_mapping.write(error, protocol, method)
    parsed = error_mapping.parse(error, headers, body, protocol, model)
    return Answer(url, error.status, headers, body), parsed
