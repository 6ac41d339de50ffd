"""The operations of KMS, one module per group: `management` of keys, and `cryptography` with keys.

An operation is a plain function; its decorator has what AWS documents about it as data (see
`pytest_kmsmock._kms.call.operation`), and registers it when its module is imported.
"""

from __future__ import annotations

import importlib

from pytest_kmsmock._kms.call.operation import OPERATIONS

#: All modules with operations, those that most tests need first.
MODULES = (
    "management.keys", "cryptography.encryption", "cryptography.data_keys", "management.aliases",
    "cryptography.signing", "cryptography.public_keys", "management.grants", "management.policies", "management.tags",
    "management.rotation", "cryptography.mac", "cryptography.random_bytes", "management.multi_region",
    "management.imports", "management.usage", "cryptography.key_agreement", "cryptography.encapsulation",
    "management.custom_key_stores",
)  # fmt: skip


def load(wanted: str | None = None) -> None:
    """Import the modules of operations, in their order.

    Args:
        wanted: the operation at which to stop, so that a test does not import all of them; None for all.
    """
    for module in MODULES:
        if wanted in OPERATIONS:
            return
        importlib.import_module(f"{__name__}.{module}")
