"""The hooks for calls of other services: three events of botocore, and requests to S3 that `requests` sends.

Nothing else of this package is imported until a service of the catalogue is called inside a mock. The events are those
of all services: each registered handler costs every new client some time, a dict look-up costs nothing. The handlers
run after all others, so that calls that a test answers itself, as a Stubber does, are not affected.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime import active_mocks
from pytest_kmsmock._runtime.options import SERVICES
from pytest_kmsmock._transport import gate
from pytest_kmsmock._transport.hooks import requests_hook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from requests import PreparedRequest, Response

    from pytest_kmsmock._transport.gate import Gate

#: Keys of a call's context: its parameters, and its `Request` once KMS has allowed it.
PARAMS, REQUEST = "kms_mock_params", "kms_mock_request"


@functools.cache
def _events() -> ModuleType:
    """Return the module that handles calls; an import statement in each call would take longer than the rest."""
    from . import botocore_events

    return botocore_events


def before_parameter_build(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """Store the parameters of a call; later events have them serialized only."""
    if model.service_model.service_name in SERVICES and active_mocks.is_any_active():
        context[PARAMS] = params


def before_call(model: Any, params: dict[str, Any], request_signer: Any, context: dict[str, Any], **_: Any) -> Any:
    """Make the KMS calls before a request is sent; a returned response prevents sending."""
    given = context.pop(PARAMS, None)
    mock = None if given is None else gate.current()
    if mock is None:
        return None
    name = model.service_model.service_name
    if not _is_enabled(mock, name):
        return None
    request, answer = _events().begin(mock, name, model, given, params, request_signer, context)
    if request is not None:
        context[REQUEST] = request
    return answer


def _is_enabled(mock: Gate, name: str) -> bool:
    enabled = mock.options.services
    return name in enabled or "all" in enabled


def after_call(http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> Any:
    """Make the KMS calls after a successful response."""
    request = context.pop(REQUEST, None)
    if request is None or http_response.status_code >= 300:
        return None
    return _events().end(request, http_response, parsed, context)


def send(session: Any, request: PreparedRequest, send_on: Callable[..., Response], **kwargs: Any) -> Response:
    """Send a request of `requests`, with the KMS calls of S3 if it is one to S3."""
    mock = gate.current()
    if mock is not None and _is_enabled(mock, "s3") and ".s3" in (request.url or "").replace("//s3", ".s3"):
        from .presigned import send

        answer = send(mock, request, functools.partial(send_on, session), kwargs)
        if answer is not None:
            return answer
    return send_on(session, request, **kwargs)


requests_hook.passthrough = send

#: Events of botocore and what is registered for them, last.
HANDLERS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("before-parameter-build", before_parameter_build),
    ("before-call", before_call),
    ("after-call", after_call),
)
