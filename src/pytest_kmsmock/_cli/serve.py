"""The command `pytest-kmsmock serve`: a fake KMS for any program, with its state in a file if wanted."""

from __future__ import annotations

import argparse
import contextlib
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime import environment
from pytest_kmsmock.errors import InvalidDump

from .paths import folder

if TYPE_CHECKING:
    from pytest_kmsmock._mock.core import MockCore
    from pytest_kmsmock._transport.json_protocol import HttpAnswer

    from .state.store import StateFile


def add_parser(commands: Any) -> None:
    """Add the commands `serve` and `import-state` to the command line."""
    _add_serve(
        commands.add_parser(
            "serve", help="answer AWS KMS requests over HTTP", description="Answer AWS KMS requests over HTTP."
        )
    )
    importing = commands.add_parser(
        "import-state",
        help="create a state file for serve",
        description="Create a state file for serve from what dump() wrote, or from the state file of an older release.",
    )
    importing.add_argument("dump", type=Path, metavar="DUMP", help="JSON file to read")
    importing.add_argument("state", type=Path, metavar="FILE", help="state file to create")
    importing.set_defaults(run=_import_state)


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.set_defaults(run=_serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine)")
    serve.add_argument("--port", type=int, default=8080, help="port; 0 takes a free one (default: %(default)s)")
    serve.add_argument("--seed", type=Path, metavar="FILE", help="seed file or template with keys to begin with")
    serve.add_argument("--state", type=Path, metavar="FILE", help="SQLite file that keeps everything between runs")
    serve.add_argument("--region", help="default Region")
    serve.add_argument("--account", help="account of the default caller")
    serve.add_argument(
        "--tls", action="store_true", help="serve TLS too, and act as a proxy (HTTPS_PROXY) that answers kms.* hosts"
    )
    serve.add_argument(
        "--tls-dir",
        type=folder,
        metavar="DIR",
        default=Path("~/.pytest-kmsmock/tls"),
        help="folder of the certificate authority for --tls, made on first use (default: %(default)s)",
    )
    serve.add_argument(
        "--credentials",
        type=_credentials,
        action="append",
        default=[],
        metavar="PRINCIPAL=ACCESS_KEY_ID:SECRET",
        help="credentials of a principal, such as role/app=AKIAEXAMPLEEXAMPLE00:secret; may be repeated",
    )
    serve.add_argument(
        "--identities", metavar="URL", help="an STS, such as that of moto's server, to look up other access keys"
    )
    serve.add_argument("--cors", action="store_true", help="allow calls from pages in browsers, as AWS does")
    serve.add_argument(
        "--check-signatures",
        action="store_true",
        help="verify signatures, and refuse unknown access keys; the default caller has the access key "
        f"{environment.DUMMY_ACCESS_KEY_ID} and the secret access key {environment.DUMMY_SECRET_ACCESS_KEY}",
    )


_CREDENTIALS = re.compile(r"(?P<principal>.+?)=(?P<access_key_id>[A-Z0-9]{16,128}):(?P<secret>\S+)")


def _credentials(text: str) -> dict[str, str]:
    found = _CREDENTIALS.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("write it as role/app=AKIAEXAMPLEEXAMPLE00:secret")
    return found.groupdict()


def _register_callers(kms: MockCore, given: argparse.Namespace) -> None:
    """Register the callers of the command line, the seed and another STS."""
    from pytest_kmsmock._kms.api.arns import partition_of
    from pytest_kmsmock._mock.deployments import is_infrastructure
    from pytest_kmsmock._testing.identity.callers import make_caller
    from pytest_kmsmock._testing.identity.credentials import Home, register
    from pytest_kmsmock._testing.seeds.seed_files import read_seed_file

    account = kms.options.account
    if given.seed is not None and not is_infrastructure(str(given.seed)):  # its keys are for the first run alone
        seed = read_seed_file(str(given.seed))
        seed.environment.register_credentials(seed.account or account, seed.region or kms.region)
    for own in given.credentials:
        caller = make_caller(own["principal"], Home(account, partition_of(kms.region)), {})
        register(caller, own["access_key_id"], own["secret"])
    if given.identities is not None:
        from .identities import Identities

        kms.elsewhere = Identities(given.identities).find


def _allow_many_connections() -> None:
    """Raise the limit of open files: each connection is one."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows, which has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _is_loopback(host: str) -> bool:
    import ipaddress

    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _serve(given: argparse.Namespace) -> int:
    from pytest_kmsmock._mock.core import MockCore
    from pytest_kmsmock._runtime.options import Options, changed
    from pytest_kmsmock._transport.endpoint.server import KmsServer, check_address

    check_address(given.host, given.port)
    _allow_many_connections()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    options = {name: value for name in ("region", "account") if (value := getattr(given, name)) is not None}
    with contextlib.ExitStack() as held:
        kms = MockCore(changed(Options(), options, "serve"))
        kms.enter("serve")
        held.callback(kms.leave)
        store = _begin(kms, given, held)
        _register_callers(kms, given)

        def carry_out(operation: str, call: Callable[[], HttpAnswer]) -> HttpAnswer:
            answer = call() if store is None else store.carry_out(operation, call)
            kms.service.calls.clear()  # nobody can ask for them here, and a server may live long
            kms.service.state.events.clear()
            return answer

        with KmsServer(
            kms,
            host=given.host,
            port=given.port,
            check_signatures=given.check_signatures,
            tls=given.tls,
            tls_dir=given.tls_dir if given.tls else None,
            cors=given.cors,
            around_call=carry_out,
            waits=store is not None or given.identities is not None,
        ) as server:
            print(f"AWS KMS: {server.endpoint_url}", flush=True)  # scripts wait for this line
            if not _is_loopback(given.host):
                print(
                    f"pytest-kmsmock: whoever reaches {given.host} can use all keys: keep it off other networks.",
                    file=sys.stderr,
                    flush=True,
                )
            if given.tls:
                print(f"CA certificate: {server.environment['SSL_CERT_FILE']}", flush=True)
            ended.wait()
        if store is not None:
            print(f"Saved: {store.save()}", flush=True)
    return 0


def _begin(kms: MockCore, given: argparse.Namespace, held: contextlib.ExitStack) -> StateFile | None:
    """Load state and seed. The seed is for the first run: an existing state file contains it already."""
    store = None
    if given.state is not None:
        from .state.store import StateFile

        store = held.enter_context(StateFile(given.state, kms.service))
        if store.load():
            return store
    if given.seed is not None:
        kms.seed(given.seed)
    if store is not None:
        store.begin()
    return store


def _import_state(given: argparse.Namespace) -> int:
    """Write a state file from a dump."""
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._testing.dumps import dump

    from .state.store import StateFile

    service = FakeKms()
    content = dump.read(given.dump)
    try:
        dump.load(service, content)
    except InvalidDump as error:
        raise InvalidDump(f"{given.dump}: {error}") from None
    with StateFile(given.state, service) as store:
        store.check_new()
        store.begin()
        print(f"Imported: {store.save()}")
    return 0
