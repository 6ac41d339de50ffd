"""Print the bytes that 290 keys take, with alias, grant and material: without a file, with one, and loaded from one."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_kmsmock import mock_kms
from pytest_kmsmock._cli.state.store import StateFile

ROLE = "arn:aws:iam::123456789012:role/app"


def bytes_of(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def make_keys(kms, count: int) -> None:
    client = kms.client()
    for _ in range(count):
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName=f"alias/{key_id}", TargetKeyId=key_id)
        client.create_grant(KeyId=key_id, GranteePrincipal=ROLE, Operations=["Decrypt"])
        client.encrypt(KeyId=key_id, Plaintext=b"x")
    kms._service.calls.clear()  # as the server does
    kms._service.state.events.clear()


def use_keys(kms) -> None:
    client = kms.client()
    for region in kms._service.state.regions():
        for name in region.aliases:
            client.encrypt(KeyId=name, Plaintext=b"x")
    kms._service.calls.clear()
    kms._service.state.events.clear()


def sizes(folder: Path, count: int) -> Iterator[int]:
    """Yield bytes without a file, with one, and with one that was loaded."""
    with mock_kms() as kms:
        yield bytes_of(lambda: make_keys(kms, count))
    path = folder / f"{count}.db"
    with mock_kms() as kms, StateFile(path, kms._service) as store:
        store.begin()
        yield bytes_of(lambda: (make_keys(kms, count), store.save()))
    with mock_kms() as kms, StateFile(path, kms._service) as store:
        yield bytes_of(lambda: (store.load(), use_keys(kms), store.save()))


if __name__ == "__main__":
    # The first imports modules and fills caches.
    _, few, many = (list(sizes(Path(sys.argv[1]), count)) for count in (1, 10, 300))
    print(json.dumps([more - less for more, less in zip(many, few, strict=True)]))
