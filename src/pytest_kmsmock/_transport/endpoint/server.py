"""The way in for other processes and languages: an HTTP endpoint, served by waitress in threads of this process.

It speaks AWS JSON 1.1, the protocol of KMS, over plain HTTP: clients are given its address as their endpoint URL. The
command line is in `pytest_kmsmock._cli.serve`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, final
from urllib.parse import quote, urlsplit

from pytest_kmsmock._kms.api.errors import InjectedError
from pytest_kmsmock._runtime import environment
from pytest_kmsmock._transport import http
from pytest_kmsmock._transport.http_request import HttpRequest
from pytest_kmsmock.errors import InvalidOption, MissingExtra, NotActive

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_kmsmock._transport.gate import Gate
    from pytest_kmsmock._transport.json_protocol import HttpAnswer


@final
class KmsServer:
    """An HTTP endpoint of a mock: `with kms_mock.serve() as server:`, or the fixture `kms_server`.

    Calls through it and calls in this process see the same keys. Starting it raises `MissingExtra` when waitress is not
    installed, and `OSError` when the address cannot be listened on.
    """

    def __init__(
        self,
        mock: Gate,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        check_signatures: bool = False,
        around_call: Callable[[str, Callable[[], HttpAnswer]], HttpAnswer] | None = None,
    ) -> None:
        # `around_call` is given the operation and a function that carries the request out; it returns what is answered.
        check_address(host, port)
        self._mock = mock
        self._host, self._port = host, port
        self._check_signatures = check_signatures
        self._around_call = around_call
        self._server: Any = None
        self._thread: threading.Thread | None = None

    @property
    def endpoint_url(self) -> str:
        """The address for clients, with scheme, host and port.

        Raises:
            NotActive: when it does not serve.
        """
        if self._server is None:
            raise NotActive("This server does not run: use it inside its `with` block, or start() it.")
        host = self._server.effective_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._server.effective_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point AWS SDKs and the AWS CLI in another process here."""
        return {
            "AWS_ENDPOINT_URL_KMS": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": environment.DUMMY_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": environment.DUMMY_SECRET_ACCESS_KEY,
            "AWS_REGION": self._mock.region,
            "AWS_DEFAULT_REGION": self._mock.region,
        }

    def start(self) -> None:
        """Listen and answer, until `stop`."""
        try:
            from .waitress_server import listen
        except ModuleNotFoundError:
            raise MissingExtra("The HTTP endpoint", "waitress", "server") from None
        self._server = listen(self._answer, self._host, self._port)
        self._thread = threading.Thread(target=self._server.run, name="pytest-kmsmock-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being carried out, and listen no more."""
        from waitress import wasyncore

        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        server.task_dispatcher.shutdown()
        with contextlib.suppress(OSError):  # the loop may wake, and close what wakes it, before it has been woken here
            server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))  # noqa: SLF001 - ends the loop of `run`
        self._thread.join()

    def __enter__(self) -> KmsServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request; the WSGI application."""
        request = _read(environ)

        def carry_out() -> HttpAnswer:
            return http.answer(self._mock, request, check_signature=self._check_signatures)

        try:
            answer = carry_out() if self._around_call is None else self._around_call(request.operation, carry_out)
        except InjectedError:
            from waitress.channel import ClientDisconnected

            raise ClientDisconnected from None  # closes the connection without an answer
        finally:
            time.sleep(self._mock.take_delay())
        headers = list(answer.headers.items())
        start_response(f"{answer.status} {answer.reason}", headers)
        return [] if request.method == "HEAD" else [answer.body]


def check_address(host: str, port: int) -> None:
    """Refuse what is no address to listen on.

    Raises:
        InvalidOption: when the host is empty, which would be every address of the machine, or the port out of range.
    """
    if not host:
        raise InvalidOption("host must not be empty. To listen on every address of this machine, say 0.0.0.0 or ::.")
    if not 0 <= port <= 65535:
        raise InvalidOption(f"port must be between 0 and 65535, not {port}.")


def _read(environ: dict[str, Any]) -> HttpRequest:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    path = quote(environ["PATH_INFO"], encoding="latin-1")
    query = environ.get("QUERY_STRING")
    host = headers.get("host", "")
    try:
        urlsplit(f"http://{host}")
    except ValueError:
        host = ""  # the caller says what it likes there, half an IPv6 address too
    url = f"http://{host}{path}{f'?{query}' if query else ''}"
    return HttpRequest(environ["REQUEST_METHOD"], url, headers, environ["wsgi.input"].read())
