"""The worker as its deployed role. The test fails, and its report says which line of the template to change."""

from __future__ import annotations

import pytest
import worker
from moto import mock_aws

pytestmark = pytest.mark.kms_mock(seed="template.yaml", region="eu-central-1")


def test_the_worker_may_do_what_it_does(kms_mock):
    with mock_aws(), kms_mock.as_principal(kms_mock.deployed("WorkerRole")):
        assert worker.handle(kms_mock.deployed("Reports"), "today") == "all is well"
