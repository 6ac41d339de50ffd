"""`KmsServer`: an HTTP endpoint for other processes and languages, served by a thread of this process.

It speaks AWS JSON 1.1, the protocol of KMS, over HTTP and, as an option, TLS: clients use its URL as their endpoint, or
as their proxy. The command line is in `pytest_kmsmock._cli.serve`.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, final

from pytest_kmsmock._kms.api.errors import InjectedError
from pytest_kmsmock._kms.entropy.key_source import RSA_POOL
from pytest_kmsmock._runtime import environment
from pytest_kmsmock._runtime.checks import check_path, check_type
from pytest_kmsmock._transport import http
from pytest_kmsmock._transport.endpoints import is_kms_host
from pytest_kmsmock._transport.json_protocol import HttpAnswer
from pytest_kmsmock.errors import InvalidOption, MissingExtra, NotActive

from . import routes, sts

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from pytest_kmsmock._transport.gate import Gate
    from pytest_kmsmock._transport.http_request import HttpRequest

    from .authority import Authority
    from .connection import Outcome
    from .listener import Listener, Pool

#: A key spec of RSA in the body of a request.
_RSA = re.compile(rb'"RSA_(2048|3072|4096)"')


@final
class KmsServer:
    """An HTTP endpoint of a mock: `with kms_mock.serve() as server:`, or the fixture `kms_server`.

    Calls through it and calls in this process see the same keys.
    """

    def __init__(
        self,
        mock: Gate,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        check_signatures: bool = False,
        tls: bool = False,
        tls_dir: str | os.PathLike[str] | None = None,
        cors: bool = False,
        around_call: Callable[[str, Callable[[], HttpAnswer]], HttpAnswer] | None = None,
        waits: bool = False,
    ) -> None:
        # `around_call` gets the operation and a function that makes the call, and returns the answer; `waits`: whether
        # it may block.
        check_address(host, port)
        for name, flag in (("check_signatures", check_signatures), ("tls", tls), ("cors", cors)):
            check_type(flag, bool, f"serve(): {name}")
        if tls_dir is not None:
            check_path(tls_dir, "serve(): tls_dir")
        self._mock = mock
        self._host, self._port = host, port
        self._check_signatures = check_signatures
        self._tls = tls or tls_dir is not None
        self._tls_dir = tls_dir
        self._cors = cors
        self._around_call = around_call
        self._waits = waits
        self._authority: Authority | None = None
        self._listener: Listener | None = None
        self._held = contextlib.ExitStack()

    @property
    def endpoint_url(self) -> str:
        """The endpoint URL for clients: `https` if the server speaks TLS.

        Raises:
            NotActive: when the server does not run.
        """
        return f"{'https' if self._tls else 'http'}://{self._address()}"

    @property
    def proxy_url(self) -> str:
        """The proxy URL (`HTTPS_PROXY`) for programs whose SDK has no endpoint option. It needs TLS.

        Raises:
            NotActive: when the server does not run.
        """
        return f"http://{self._address()}"

    def _address(self) -> str:
        if self._listener is None:
            raise NotActive("This server does not run: use it inside its `with` block, or start() it.")
        host, port = self._listener.address
        return f"{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point AWS SDKs and the AWS CLI in another process at this server."""
        variables = {
            "AWS_ENDPOINT_URL_KMS": self.endpoint_url,
            "AWS_ENDPOINT_URL_STS": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": environment.DUMMY_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": environment.DUMMY_SECRET_ACCESS_KEY,
            "AWS_REGION": self._mock.region,
            "AWS_DEFAULT_REGION": self._mock.region,
        }
        if self._authority is not None:
            variables |= dict.fromkeys(_CA_VARIABLES, str(self._authority.certificate_path))
        return variables

    def start(self) -> None:
        """Start the server. It ends with `stop`, or with the mock; starting it twice has no effect.

        Raises:
            MissingExtra: httptools is not installed.
            InvalidOption: the host cannot be resolved, or `tls_dir` has no certificate authority.
            OSError: it cannot listen on the address, or `tls_dir` cannot be written.
            NotActive: the mock has ended.
        """
        if self._listener is not None:
            return
        if not self._mock.active:
            raise NotActive
        try:
            from .listener import Application, Listener
        except ModuleNotFoundError:
            raise MissingExtra("The HTTP endpoint", "httptools", "server") from None
        with contextlib.ExitStack() as held:
            if self._tls:
                from .authority import Authority

                folder = self._tls_dir or held.enter_context(tempfile.TemporaryDirectory(prefix="pytest-kmsmock-"))
                self._authority = Authority(Path(folder).expanduser().absolute())
                self._context_for(None)  # kept by the authority; an error here ends the start, not the thread
            listener = Listener(Application(self._answer, self._pool_of, self._context_for), self._host, self._port)
            listener.start()
            self._listener, self._held = listener, held.pop_all()
            self._mock.servers.append(self)

    def stop(self) -> None:
        """Finish the current requests, and stop the server."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._mock.servers.remove(self)
            listener.stop()
            self._authority = None
            self._held.close()

    def __enter__(self) -> KmsServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: HttpRequest) -> Outcome:
        """Answer a request."""
        from .connection import Outcome

        answer = routes.answer(request, cors=self._cors)
        if answer is not None:
            return Outcome(answer)
        if sts.is_for_sts(request):
            answer = sts.answer(self._mock, request, check_signature=self._check_signatures)
            return Outcome(routes.with_cors_headers(answer, request) if self._cors else answer)
        for bits in set(_RSA.findall(request.body)):
            RSA_POOL.prepare(int(bits))

        def call() -> HttpAnswer:
            return http.answer(self._mock, request, check_signature=self._check_signatures)

        try:
            answer = call() if self._around_call is None else self._around_call(request.operation, call)
        except InjectedError:
            return Outcome(None, self._mock.take_delay())
        return Outcome(routes.with_cors_headers(answer, request) if self._cors else answer, self._mock.take_delay())

    def _pool_of(self, request: HttpRequest) -> Pool | None:
        """Return the pool of threads for a request that may block; None if it is answered in the event loop."""
        if _RSA.search(request.body) is not None:
            return "rsa"
        return "waiting" if self._waits else None

    def _context_for(self, host: str | None) -> ssl.SSLContext | None:
        """Return the TLS context for a host (None: the server itself); None if there is no TLS for it."""
        if self._authority is None or (host is not None and not is_kms_host(host)):
            return None
        if host is not None:
            return self._authority.context(host)
        return self._authority.context("localhost", "127.0.0.1", "::1", self._host, socket.gethostname())


#: Environment variables with the CA certificates that programs trust: AWS SDKs, OpenSSL and Go, Node.js.
_CA_VARIABLES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")


def check_address(host: str, port: int) -> None:
    """Validate the address to listen on.

    Raises:
        InvalidOption: another type, an empty host, which would mean all addresses, or a port out of range.
    """
    check_type(host, str, "serve(): host", "a host name or address, as a string")
    check_type(port, int, "serve(): port", "a whole number")
    if not host:
        raise InvalidOption("host must not be empty. To listen on all addresses of this machine, use 0.0.0.0 or ::.")
    if not 0 <= port <= 65535:
        raise InvalidOption(f"port must be between 0 and 65535, not {port}.")
