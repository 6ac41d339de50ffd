from __future__ import annotations

import botocore.session
import pytest

from pytest_kmsmock._kms.api.service_model import operation_names
from pytest_kmsmock._runtime.options import SERVICES
from pytest_kmsmock._services import catalog


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_table_names_what_there_is(name):
    service = catalog.service(name)
    model = botocore.session.get_session().get_service_model(name)
    assert set(service.rules) <= set(model.operation_names)
    steps = [step for rule in service.rules.values() for step in (*rule.before, *rule.after)]
    assert {kms.operation for step in steps for kms in step.kms} <= operation_names()
