"""How the application is tested: no setup, no network, and KMS says no where AWS would."""

from __future__ import annotations

import json

import payroll
import pytest
from botocore.exceptions import ClientError
from payroll import Salary, Tampered

pytestmark = pytest.mark.kms_mock(region="eu-central-1")


@pytest.fixture(autouse=True)
def application(kms_mock):
    payroll.set_up()
    return kms_mock


def test_a_salary_comes_back():
    record = payroll.store(Salary("ada", 12_345_00))
    assert payroll.read("ada", record) == Salary("ada", 12_345_00)


def test_a_salary_is_nobody_elses():
    record = payroll.store(Salary("ada", 12_345_00))
    with pytest.raises(Tampered):
        payroll.read("charles", record)


@pytest.mark.parametrize("place", [0, 40, 100, -1])
def test_a_damaged_record_is_noticed(place):
    record = bytearray(payroll.store(Salary("ada", 12_345_00)))
    record[place] ^= 1
    with pytest.raises(Tampered):
        payroll.read("ada", bytes(record))


def test_a_forged_payslip_is_noticed():
    signature = payroll.sign("ada: 12345.00 EUR")
    payroll.check("ada: 12345.00 EUR", signature)
    with pytest.raises(Tampered):
        payroll.check("ada: 99999.00 EUR", signature)


def test_records_outlive_key_rotation(kms_mock):
    record = payroll.store(Salary("ada", 12_345_00))
    kms_mock.clock.advance(days=400)
    assert payroll.read("ada", record).cents == 12_345_00
    assert payroll.kms.list_key_rotations(KeyId=_key_id("alias/payroll-vault"))["Rotations"]


def test_an_archive_of_the_aws_encryption_sdk_comes_back():
    salaries = [Salary("ada", 12_345_00), Salary("charles", 9_876_00, "GBP")]
    assert payroll.restore(payroll.archive(salaries)) == salaries


def test_a_key_that_was_deleted_takes_its_records_along(kms_mock):
    record = payroll.store(Salary("ada", 12_345_00))
    payroll.kms.schedule_key_deletion(KeyId=_key_id("alias/payroll-vault"), PendingWindowInDays=7)
    with pytest.raises(payroll.kms.exceptions.KMSInvalidStateException, match="is pending deletion"):
        payroll.read("ada", record)
    kms_mock.clock.advance(days=8)
    with pytest.raises(payroll.kms.exceptions.NotFoundException):
        payroll.kms.describe_key(KeyId="alias/payroll-vault")


def test_a_policy_that_forgets_its_author_is_refused():
    only_ada = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/ada"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": [only_ada]}
    with pytest.raises(ClientError, match="will not allow you to update the key policy in the future"):
        payroll.kms.put_key_policy(KeyId=_key_id("alias/payroll-vault"), Policy=json.dumps(policy))


def _key_id(alias: str) -> str:
    return payroll.kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
