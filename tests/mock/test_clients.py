from __future__ import annotations

import botocore.session
import pytest
from botocore import handlers

from pytest_kmsmock._mock import clients
from pytest_kmsmock._services import hook

KINDS = sorted({event.partition(".")[0] for event, *_ in handlers.BUILTIN_HANDLERS})


def handlers_of(session, event: str) -> list[object]:
    """Return the handlers that an event would be handed to, in order, without those that pass over KMS."""
    others = [handler for _, handler in hook.HANDLERS]
    found = session.get_component("event_emitter")._emitter._handlers.prefix_search(event)
    return [handler for handler in found if handler not in others]


@pytest.mark.usefixtures("kms_mock")
@pytest.mark.parametrize("operation", ["Encrypt", "CreateKey", "ListKeys"])
@pytest.mark.parametrize("kind", KINDS)
def test_events_of_kms_have_the_handlers_that_they_have_elsewhere(kind, operation):
    usual = botocore.session.Session()
    for event in (kind, f"{kind}.kms", f"{kind}.kms.{operation}", f"{kind}.*.kms.{operation}.complete-section"):
        assert handlers_of(clients.session(), event) == handlers_of(usual, event)


@pytest.mark.usefixtures("kms_mock")
def test_handlers_of_other_services_are_left_out():
    usual = botocore.session.Session()
    assert handlers_of(usual, "before-parameter-build.s3.PutObject")
    of_all = handlers_of(usual, "before-parameter-build.kms.Encrypt")
    assert handlers_of(clients.session(), "before-parameter-build.s3.PutObject") == of_all
