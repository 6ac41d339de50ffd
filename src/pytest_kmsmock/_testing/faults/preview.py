"""What a call will be about, found out before it is carried out: for faults and request quotas, which come first.

`pipeline.perform` does the same steps for good; nothing here refuses a call.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.validation import read_leniently, reader
from pytest_kmsmock._kms.call.operation import Call, Target
from pytest_kmsmock._kms.rules.timeline import settle

#: The note of a call whose request is refused before anybody asks who may make it.
NOT_VALID = "not valid"


def preview(call: Call) -> Call:
    """Return a copy of a call with its members read and its targets found, as far as the request is valid."""
    settle(call.service, call.now, call.operation.keeps_transition)
    seen = replace(call, notes={})
    targets: list[Target] = []
    try:
        seen.params = reader(call.operation.name)(call.params)
        for find in call.operation.targets:
            targets += find(seen)
            seen.targets = tuple(targets)
    except KmsError:
        seen.params = read_leniently(call.operation.name, seen.params)
        seen.notes[NOT_VALID] = True  # the pipeline will find the same, and refuse the call
    return seen
