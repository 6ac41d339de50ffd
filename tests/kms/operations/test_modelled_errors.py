"""Errors of every operation whose API reference lists them; those of key identifiers are in `test_targets`."""

from __future__ import annotations

import pytest

from pytest_kmsmock._kms.api.service_model import modelled_errors, service_description

MODEL = service_description()
#: Error -> the member of a request that causes it, and its value.
CAUSES = {"InvalidGrantTokenException": ("GrantTokens", ["none"]), "InvalidMarkerException": ("Marker", "none")}
CASES = [
    pytest.param(operation, error, id=f"{operation} {error}")
    for operation, described in MODEL["operations"].items()
    for error, (member, _) in CAUSES.items()
    if error in modelled_errors(operation) and member in MODEL["shapes"][described["input"]["shape"]]["members"]
]


@pytest.mark.parametrize(("operation", "error"), CASES)
def test_what_is_made_up_is_refused(prepared, refusal, operation, error):
    member, value = CAUSES[error]
    ready = prepared(operation)
    with refusal(error):
        ready.call(**{member: value})
