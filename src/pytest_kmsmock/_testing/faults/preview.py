"""Parameters and targets of a call before it is executed, for faults and request quotas, which come first.

`pipeline.perform` repeats these steps; nothing here refuses a call.
"""

from __future__ import annotations

import copy

from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.validation import read_leniently, reader
from pytest_kmsmock._kms.call.operation import Call, Target
from pytest_kmsmock._kms.rules.timeline import settle

#: The note of a call whose request is not valid.
NOT_VALID = "not valid"


def preview(call: Call) -> Call:
    """Return a copy of a call with validated parameters and its targets, as far as the request is valid."""
    settle(call.service, call.now, call.operation.keeps_transition)
    seen = copy.copy(call)
    seen.notes = {}
    targets: list[Target] = []
    try:
        seen.params = reader(call.operation.name)(call.params)
        for find in call.operation.targets:
            targets += find(seen)
            seen.targets = tuple(targets)
    except KmsError:
        seen.params = read_leniently(call.operation.name, seen.params)
        seen.notes[NOT_VALID] = True  # the pipeline raises the same error later
    return seen
