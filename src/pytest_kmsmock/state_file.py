"""The file in which `pytest-kmsmock serve` keeps its state: always one whole state, of one server at a time.

How a state is written down is in `console.snapshot`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, final

from .errors import InvalidDump, StateFileInUse
from .intercept.wire import HttpAnswer, error_body
from .service import errors
from .service.clock import Clock
from .service.operation import OPERATIONS

if TYPE_CHECKING:
    from .service.service import FakeKms

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

    def __enter__(self) -> StateFile:
        self._held.enter_context(_only_holder(self._target))
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
        from .console import snapshot

        try:
            snapshot.load(self._service, snapshot.read(self._target))
        except InvalidDump as error:
            raise InvalidDump(f"{self._path} is left as it is: {error}") from None
        self._service.clock = Clock()
        return True

    def carry_out(self, operation: str, call: Callable[[], HttpAnswer]) -> HttpAnswer:
        """Carry out a call, and write the file if that has changed what it holds, before the call is answered.

        When the file cannot be written, the change is undone and the answer is an error that clients retry: so no
        answer was given that a restart would not know of. A line on stderr says why.

        Args:
            operation: the operation, whether there is one of that name or not.
            call: carries it out.

        Returns:
            What is to be answered.
        """
        found = OPERATIONS.get(operation)
        if found is None or found.cryptographic or operation.startswith(_READING):
            return call()
        with self._service.lock:  # nobody sees a change that is undone, or makes another on top of it
            before = self._service.state.copy()
            answer = call()
            if answer.status == 200:
                try:
                    self.save()
                except OSError as error:
                    before.events = self._service.state.events
                    self._service.state = before
                    print(f"pytest-kmsmock: {operation} is undone: {error}", file=sys.stderr, flush=True)  # noqa: T201
                    refusal = errors.INTERNAL()
                    answer = HttpAnswer(refusal.status, answer.headers, error_body(refusal))
        return answer

    def save(self) -> None:
        """Write the file.

        Raises:
            OSError: when it cannot be written; then it is as it was.
        """
        from .console import snapshot

        with self._service.lock:
            try:
                snapshot.write(snapshot.dump(self._service), self._target)
            except OSError as error:
                raise OSError(f"{self._path} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _only_holder(path: Path) -> Iterator[None]:
    """Lock a file for this process, by a lock on an empty file beside it, since the file itself is replaced.

    The operating system gives the lock back however the process ends. On Windows, which has no such locks, nothing is
    locked.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
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
