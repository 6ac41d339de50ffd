"""An application that knows nothing of the mock: salaries encrypted, payslips signed, archives under an envelope."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import aws_encryption_sdk
import boto3
from aws_encryption_sdk import CommitmentPolicy, StrictAwsKmsMasterKeyProvider

kms = boto3.client("kms", region_name="eu-central-1")  # at import, as applications do


class Tampered(Exception):
    """A stored record or a signed payslip is not what was written."""


@dataclass(frozen=True)
class Salary:
    """What an employee earns: an amount in cents of a currency."""

    employee: str
    cents: int
    currency: str = "EUR"


def set_up() -> None:
    """Create the two keys of the application."""
    vault = kms.create_key(Description="salaries", Tags=[{"TagKey": "app", "TagValue": "payroll"}])["KeyMetadata"]
    kms.create_alias(AliasName="alias/payroll-vault", TargetKeyId=vault["KeyId"])
    kms.enable_key_rotation(KeyId=vault["KeyId"], RotationPeriodInDays=180)
    seal = kms.create_key(Description="payslips", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.create_alias(AliasName="alias/payroll-seal", TargetKeyId=seal["KeyId"])


def store(salary: Salary) -> bytes:
    """Encrypt a salary so that it can be read only as that employee's."""
    text = json.dumps({"cents": salary.cents, "currency": salary.currency}).encode()
    answer = kms.encrypt(KeyId="alias/payroll-vault", Plaintext=text, EncryptionContext={"employee": salary.employee})
    return answer["CiphertextBlob"]


def read(employee: str, record: bytes) -> Salary:
    """Decrypt a salary; raise `Tampered` when the record is another employee's or damaged."""
    try:
        answer = kms.decrypt(CiphertextBlob=record, EncryptionContext={"employee": employee})
    except kms.exceptions.InvalidCiphertextException as error:
        raise Tampered(employee) from error
    return Salary(employee, **json.loads(answer["Plaintext"]))


def sign(payslip: str) -> bytes:
    """Sign a payslip."""
    return kms.sign(
        KeyId="alias/payroll-seal", Message=hashlib.sha256(payslip.encode()).digest(), MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )["Signature"]  # fmt: skip


def check(payslip: str, signature: bytes) -> None:
    """Raise `Tampered` unless the payslip is the one that was signed."""
    try:
        kms.verify(
            KeyId="alias/payroll-seal", Message=hashlib.sha256(payslip.encode()).digest(), MessageType="DIGEST",
            Signature=signature, SigningAlgorithm="ECDSA_SHA_256",
        )  # fmt: skip
    except kms.exceptions.KMSInvalidSignatureException as error:
        raise Tampered(payslip) from error


def archive(salaries: list[Salary]) -> bytes:
    """Encrypt the whole payroll with the AWS Encryption SDK."""
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    arn = kms.describe_key(KeyId="alias/payroll-vault")["KeyMetadata"]["Arn"]
    text = json.dumps([vars(salary) for salary in salaries])
    ciphertext, _ = client.encrypt(
        source=text, key_provider=StrictAwsKmsMasterKeyProvider(key_ids=[arn]), encryption_context={"year": "2026"}
    )
    return ciphertext


def restore(ciphertext: bytes) -> list[Salary]:
    """Decrypt an archive."""
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    arn = kms.describe_key(KeyId="alias/payroll-vault")["KeyMetadata"]["Arn"]
    text, _ = client.decrypt(source=ciphertext, key_provider=StrictAwsKmsMasterKeyProvider(key_ids=[arn]))
    return [Salary(**entry) for entry in json.loads(text)]
