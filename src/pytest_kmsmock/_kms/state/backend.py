"""`Backend`: what one fake KMS works with, of which operations and rules see all and callers nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from pytest_kmsmock._kms.entropy.key_source import KeySource

from .clock import Clock
from .delays import Delays
from .state import State


class Backend:
    """State, clock, randomness and settings of a fake KMS.

    Args:
        random: gives `n` random bytes; the operating system's by default.
        state: what it remembers at the beginning.
        clock: its clock.
        enforce_policies: whether policies, grants and IAM decide who may do what.
    """

    def __init__(
        self,
        *,
        random: Callable[[int], bytes] | None = None,
        state: State | None = None,
        clock: Clock | None = None,
        enforce_policies: bool = True,
    ) -> None:
        self.random = random or os.urandom
        self.keys = KeySource(random)
        self.state = state or State()
        self.clock = clock or Clock()
        self.enforce_policies = enforce_policies
        self.delays = Delays()
        #: Held while a call is carried out.
        self.lock = threading.RLock()
