"""`Backend`: state, clock, random source and settings of a fake KMS, as operations and rules use it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from pytest_kmsmock._kms.entropy.key_source import KeySource

from .clock import Clock
from .delays import Delays
from .state import State


class Backend:
    """State, clock, random source and settings of a fake KMS.

    Args:
        random: returns `n` random bytes; by default those of the operating system.
        state: the initial state.
        clock: its clock.
        enforce_policies: whether key policies, grants and IAM policies are enforced.
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
        #: Held while a call is executed.
        self.lock = threading.RLock()
