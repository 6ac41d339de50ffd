"""Where calls of other services are noticed: at three events of botocore, and at what `requests` sends to S3.

Nothing else of this package is imported until a service of the catalogue is called inside a mock. The events are those
of all services, since each handler of an event costs every new client some time, and a look at a name costs nothing.
They come after all other handlers: what a test answers itself, as a Stubber does, is left alone.
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

#: Under these names a call's context holds its parameters, and once it is decided on, its `Request`.
PARAMS, REQUEST = "kms_mock_params", "kms_mock_request"


@functools.cache
def _events() -> ModuleType:
    """Return the module that decides; an import statement at each call would take longer than all else here."""
    from . import botocore_events

    return botocore_events


def before_parameter_build(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """Keep the parameters of a call: what is sent has them in the service's protocol only."""
    if model.service_model.service_name in SERVICES and active_mocks.is_any_active():
        context[PARAMS] = params


def before_call(model: Any, params: dict[str, Any], request_signer: Any, context: dict[str, Any], **_: Any) -> Any:
    """Decide on a call before it is sent; an answer keeps it from being sent."""
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


def after_call(http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> Any:
    """Decide on a call when it has been answered."""
    request = context.pop(REQUEST, None)
    if request is None or http_response.status_code >= 300:
        return None
    return _events().end(request, http_response, parsed, model, context)


def send(session: Any, request: PreparedRequest, send_on: Callable[..., Response], **kwargs: Any) -> Response:
    """Send a request of `requests` on, which S3 may call KMS for."""
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
