"""The mock in a script: the same object as a context manager. Prints what happened inside."""

from __future__ import annotations

import boto3
from rich.console import Console
from rich.table import Table

from pytest_kmsmock import mock_kms


def main(console: Console) -> None:
    """Create keys, encrypt and decrypt, look into the future; then show keys and calls."""
    with mock_kms(region="eu-central-1") as kms:
        client = boto3.client("kms")
        vault = client.create_key(Description="a vault")["KeyMetadata"]
        client.create_alias(AliasName="alias/vault", TargetKeyId=vault["KeyId"])
        client.enable_key_rotation(KeyId=vault["KeyId"])
        client.create_key(KeySpec="ECC_NIST_P521", KeyUsage="SIGN_VERIFY", Description="a seal")
        client.create_key(KeySpec="ML_DSA_65", KeyUsage="SIGN_VERIFY", Description="a seal for the future")

        context = {"purpose": "demo"}
        blob = client.encrypt(KeyId="alias/vault", Plaintext=b"hello, KMS", EncryptionContext=context)["CiphertextBlob"]
        console.print(f"ciphertext  [dim]{blob[:8].hex(' ')} … ({len(blob)} bytes)[/]")
        opened = client.decrypt(CiphertextBlob=blob, EncryptionContext=context)
        console.print(f"decrypted   [green]{opened['Plaintext'].decode()}[/]")
        try:
            client.decrypt(CiphertextBlob=blob, EncryptionContext={"purpose": "another"})
        except client.exceptions.InvalidCiphertextException as error:
            console.print(f"refused     [yellow]{error.response['Error']['Code']}[/] with another encryption context")
        kms.clock.advance(days=366)
        later = client.decrypt(CiphertextBlob=blob, EncryptionContext=context)
        rotated = client.describe_key(KeyId="alias/vault")["KeyMetadata"]["CurrentKeyMaterialId"]
        console.print(
            f"a year on   still [green]{later['Plaintext'].decode()}[/], by material {later['KeyMaterialId'][:8]}…; "
            f"the key has since rotated to {rotated[:8]}…"
        )

        keys = Table("key id", "spec", "state", "description", title="Keys", title_justify="left")
        for entry in client.list_keys()["Keys"]:
            metadata = client.describe_key(KeyId=entry["KeyId"])["KeyMetadata"]
            keys.add_row(metadata["KeyId"], metadata["KeySpec"], metadata["KeyState"], metadata["Description"])
        console.print(keys)

        calls = Table("operation", "answer", title="Calls", title_justify="left")
        for call in kms.calls:
            calls.add_row(call.operation, "[green]ok[/]" if call.error is None else f"[yellow]{call.error.code}[/]")
        console.print(calls)


if __name__ == "__main__":
    main(Console())
