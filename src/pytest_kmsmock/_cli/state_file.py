"""The file in which `pytest-kmsmock serve` keeps its state: always one whole state, of one server at a time.

How a state is written down is in `_testing.dumps.dump`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.state.clock import Clock
from pytest_kmsmock._transport.json_protocol import HttpAnswer, error_body
from pytest_kmsmock.errors import InvalidDump, StateFileInUse

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms

#: How operations begin that change nothing a restart must not lose. Cryptographic ones only note a key's last use.
_READING = ("Describe", "GetKey", "GetPublic", "List")


@final
class StateFile:
    """A file that holds the state of a fake KMS. Inside `with`, nobody else's.

    Args:
        path: the file.
        service: whose state it holds.

    Raises:
        StateFileInUse: on entering, when another server has the file.
        OSError: on entering, when the folder cannot be written to.
    """

    def __init__(self, path: Path, service: FakeKms) -> None:
        self._path = path
        self._target = Path(os.path.realpath(path))  # what a link points to is replaced, not the link
        self._service = service
        self._held = contextlib.ExitStack()
        self._writing = threading.Lock()  # taken before the service's lock, never after
        self._batch = _Batch()  # of the changes that the file does not have
        self._kept = service.state  # what it has: the state to go back to

    def __enter__(self) -> StateFile:
        self._held.enter_context(_only_holder(self._target))
        self._kept = self._service.state.copy()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def load(self) -> bool:
        """Take over the state in the file. Time has gone on since it was written.

        Returns:
            Whether there was a file.

        Raises:
            InvalidDump: when the file is no state, or not all of one. It is left as it is.
        """
        if not self._target.exists():
            return False
        from pytest_kmsmock._testing.dumps import dump

        try:
            dump.load(self._service, dump.read(self._target))
        except InvalidDump as error:
            raise InvalidDump(f"{self._path} is left as it is: {error}") from None
        self._service.clock = Clock()
        self._kept = self._service.state.copy()
        return True

    def carry_out(self, operation: str, call: Callable[[], HttpAnswer]) -> HttpAnswer:
        """Carry out a call, and write the file if that has changed what it holds, before the call is answered.

        What several calls change at the same time is written once. When the file cannot be written, all changes that it
        does not have are undone and their calls answered with an error that clients retry: so no answer is given that a
        restart would not know of. A line on stderr says why.

        Args:
            operation: the operation, whether there is one of that name or not.
            call: carries it out.

        Returns:
            What is to be answered.
        """
        found = OPERATIONS.get(operation)
        if found is None or found.cryptographic or operation.startswith(_READING):
            return call()
        with self._service.lock:  # so that a change and its batch belong together
            answer = call()
            batch = self._batch
        if answer.status != 200:
            return answer
        with self._writing:
            if not batch.settled:
                self._settle()
        if batch.failure is None:
            return answer
        print(f"pytest-kmsmock: {operation} is undone: {batch.failure}", file=sys.stderr, flush=True)  # noqa: T201
        refusal = errors.INTERNAL()
        body = error_body(refusal)
        return HttpAnswer(refusal.status, answer.headers | {"content-length": str(len(body))}, body)

    def save(self) -> None:
        """Write the file.

        Raises:
            OSError: when it cannot be written; then the file and the state are as they were.
        """
        with self._writing:
            failure = self._settle()
        if failure is not None:
            raise failure

    def _settle(self) -> OSError | None:
        """Write down all changes made so far, or undo them; say why."""
        from pytest_kmsmock._testing.dumps import dump

        with self._service.lock:
            batches = [self._next_batch()]
            document, state = dump.dump(self._service), self._service.state.copy()
        failure = None
        try:
            dump.write(document, self._target, indent=None)
            self._kept = state
        except OSError as error:
            failure = OSError(f"{self._path} cannot be written: {error.strerror}")
            with self._service.lock:
                batches.append(self._next_batch())  # made meanwhile, on top of what is undone
                undone, self._service.state = self._service.state, self._kept.copy()
                self._service.state.events = undone.events
        for batch in batches:
            batch.failure, batch.settled = failure, True
        return failure

    def _next_batch(self) -> _Batch:
        batch, self._batch = self._batch, _Batch()
        return batch


@dataclass(slots=True)
class _Batch:
    """Changes that are written together: while some are written, others gather."""

    settled: bool = False
    failure: OSError | None = None


@contextlib.contextmanager
def _only_holder(path: Path) -> Iterator[None]:
    """Lock a file for this process, by a lock on an empty file beside it, since the file itself is replaced.

    The operating system gives the lock back however the process ends. What a holder left unfinished that was killed is
    removed by the next one. On Windows, which has no such locks, nothing is
    locked.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    from pytest_kmsmock._testing.dumps import dump

    lock = path.with_name(f"{path.name}.lock")
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StateFileInUse(
                f"{path} is in use by another server. Stop that one, or give this one a file of its own."
            ) from None
        if _is(descriptor, lock):
            break
        os.close(descriptor)  # the one who had it has taken it away meanwhile
    try:
        dump.remove_unfinished(path)
        yield
    finally:
        if _is(descriptor, lock):
            lock.unlink()
        os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    """Say whether a path still names the file that was opened."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
