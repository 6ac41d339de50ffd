"""botocore's service model of KMS: its operations, shapes and errors, read once in a process."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.loaders import Loader


@functools.cache
def data_files() -> Loader:
    """Return the one loader of botocore's data files: it remembers what it has read, and reading takes a while."""
    from botocore.loaders import create_loader  # here, so that importing the service costs no botocore

    return create_loader(os.environ.get("AWS_DATA_PATH"))


@functools.cache
def service_description() -> Mapping[str, Any]:
    """Return the service model of KMS that the installed botocore has."""
    from botocore.exceptions import DataNotFoundError
    from botocore.loaders import ExtrasProcessor

    loader = data_files()
    # Not by `load_service_model`, which looks through the data of all services first: that takes longer than to read.
    place = f"kms/{loader.determine_latest_version('kms', 'service-2')}/service-2"
    description: dict[str, Any] = loader.load_data(place)
    with contextlib.suppress(DataNotFoundError):  # clients have them, if there are any
        ExtrasProcessor().process(description, [loader.load_data(f"{place}.sdk-extras")])
    return description


@functools.cache
def known_regions() -> frozenset[str]:
    """Return the Regions of all partitions that the installed botocore has."""
    partitions = data_files().load_data("partitions")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def read_data_files() -> None:
    """Read all that calls need of botocore's data: a test may fake `open` or the file system before its first call."""
    service_description()
    known_regions()


def fits(value: object, shape_name: str) -> bool:
    """Say whether a value is a text as the model has it: for what does not come as a request."""
    shape = service_description()["shapes"][shape_name]
    return (
        isinstance(value, str)
        and shape.get("min", 0) <= len(value) <= shape.get("max", len(value))
        and value in shape.get("enum", (value,))
        and re.fullmatch(shape.get("pattern", "(?s).*"), value, re.ASCII) is not None
    )


@functools.cache
def operation_names() -> frozenset[str]:
    """Return the names of all operations that the installed botocore knows."""
    return frozenset(service_description()["operations"])


@functools.cache
def modelled_errors(operation: str) -> frozenset[str]:
    """Return the codes of the errors that the model lists for an operation."""
    return frozenset(error["shape"] for error in service_description()["operations"][operation].get("errors", ()))
