"""What the tests of this project share."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import botocore.client  # noqa: F401 - a run inside a test forgets what it imported, and a client made before lives on
import cryptography.x509  # noqa: F401 - likewise: its classes exist once, in compiled code
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

# Likewise: of a class that is imported again, no object is an instance.
import pytest_kmsmock._mock.core
import pytest_kmsmock._mock.kms_mock  # noqa: F401

Refusal = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def refusal() -> Refusal:
    """Give a context manager that expects AWS's refusal: `with refusal("NotFoundException", "the exact text"):`.

    The text is compared whole; None leaves it open; a compiled pattern must match from beginning to end.
    """

    @contextmanager
    def expect(code: str, message: str | re.Pattern[str] | None = None) -> Iterator[None]:
        with pytest.raises(ClientError) as refused:
            yield
        error = refused.value.response["Error"]
        assert error["Code"] == code, error
        if isinstance(message, str):
            assert error["Message"] == message
        elif message is not None:
            assert message.fullmatch(error["Message"]), error["Message"]

    return expect


@pytest.fixture(scope="session")
def run_python() -> Callable[..., str]:
    """Run a program in a process of its own, where nothing has been imported yet; return what it prints."""

    def run(program: str, **environment: str) -> str:
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
        done = subprocess.run(command, env=environment or None, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session", autouse=True)
def _moto_costs_little() -> Iterator[None]:
    """Share the files of botocore between sessions, and make no machine images.

    moto gives each test a session of its own, which reads service models again, and each EC2 backend 1,300 images.
    """
    read = functools.cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        yield


@pytest.fixture
def few_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pytest inside a test load two plugins: what the others import is half of a start."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "xdist.plugin,pytest_kmsmock.plugin")


@pytest.fixture(scope="module")
def moto_server() -> Iterator[str]:
    """Run moto's server in a thread, and give its URL."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def endpoints_of_aws(kms_server, moto_server, monkeypatch):
    """Let programs find the mock's server, and moto's STS, where AWS is."""
    for name, value in {**kms_server.environment, "AWS_ENDPOINT_URL_STS": moto_server}.items():
        monkeypatch.setenv(name, value)


#: Developer Guide, "Viewing grants": a grant without a name has an empty one, which its shape does not allow.
_AWS_DOES_SO_TOO = re.compile(r"Invalid length for parameter Grants\[\d+\]\.Name, value: 0, valid min length: 1")


@pytest.fixture(scope="session", autouse=True)
def _answers_are_those_of_the_model() -> Iterator[None]:
    """Check every answer of every operation in every test: members that botocore's model has, of its types."""

    from pytest_kmsmock._kms.call.operation import OPERATIONS, Call, Operation, Result
    from pytest_kmsmock._kms.operations import load

    model = ServiceModel(Loader().load_service_model("kms", "service-2"))
    validator = ParamValidator()

    def check(operation: Operation, call: Call) -> Result:
        result = operation.run(call)
        shape = model.operation_model(operation.name).output_shape
        if shape is None:
            assert result == {}, f"{operation.name} has no answer"
        else:
            report = validator.validate(result, shape).generate_report()
            problems = [line for line in report.splitlines() if not _AWS_DOES_SO_TOO.fullmatch(line)]
            assert not problems, f"answer of {operation.name}: {problems}"
        return result

    load()
    originals = dict(OPERATIONS)
    OPERATIONS.update({name: found._replace(run=functools.partial(check, found)) for name, found in originals.items()})
    yield
    OPERATIONS.update(originals)
