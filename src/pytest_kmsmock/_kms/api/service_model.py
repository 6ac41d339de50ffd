"""botocore's service model of KMS: operations, shapes and errors, read once per process."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._runtime import environment
from pytest_kmsmock._runtime.checks import check_form
from pytest_kmsmock.errors import InvalidOption

if TYPE_CHECKING:
    from botocore.loaders import Loader


@functools.cache
def data_files() -> Loader:
    """Return the loader of botocore's data files, one per process: reading is slow, and the loader caches.

    That of boto3's default session has read them already if a client of KMS comes from it.
    """
    from botocore.loaders import create_loader  # here, so that importing this module does not import botocore

    default = environment.session_of_default()
    if default is not None:
        loader: Loader = default.get_component("data_loader")
        return loader
    return create_loader(os.environ.get("AWS_DATA_PATH"))


@functools.cache
def service_description() -> Mapping[str, Any]:
    """Return the service model of KMS of the installed botocore."""
    from botocore.exceptions import DataNotFoundError
    from botocore.loaders import ExtrasProcessor

    loader = data_files()
    # `load_service_model` would list the data of all services first, which takes longer than reading one.
    place = f"kms/{loader.determine_latest_version('kms', 'service-2')}/service-2"
    description: dict[str, Any] = loader.load_data(place)
    with contextlib.suppress(DataNotFoundError):  # clients apply them too
        ExtrasProcessor().process(description, [loader.load_data(f"{place}.sdk-extras")])
    return description


@functools.cache
def known_regions() -> frozenset[str]:
    """Return the Regions of all partitions in the installed botocore."""
    partitions = data_files().load_data("partitions")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


@functools.lru_cache(maxsize=256)
def misspelt_region(name: str) -> str | None:
    """Return the Region that a misspelt name means; None for a known Region, and for one that may be new.

    Misspelt is a name that is one letter, or two neighbours that changed places, away from a Region of the same area
    with the same number: `eu-wst-1`, but not `eu-west-9` or `mx-west-1`.
    """
    known = known_regions()
    alike = (each for each in sorted(known) if each[:3] == name[:3] and each.split("-")[-1] == name.split("-")[-1])
    return None if name in known else next((each for each in alike if _is_one_edit(name, each)), None)


def check_region(name: str, where: str) -> None:
    """Validate a Region.

    Args:
        name: the Region.
        where: where it was given, for the error message.

    Raises:
        InvalidOption: not a Region, or a misspelt one.
    """
    check_form("region", name, where)
    meant = misspelt_region(name)
    if meant is not None:
        raise InvalidOption(f"{where}: unknown Region {name!r}. Did you mean {meant!r}?")


def _is_one_edit(one: str, other: str) -> bool:
    return any(
        one[:at] == other[:at]
        and (
            one[at + 1 :] in (other[at:], other[at + 1 :])
            or one[at:] == other[at + 1 :]
            or one[at:] == other[at + 1 : at + 2] + other[at : at + 1] + other[at + 2 :]
        )
        for at in range(len(other))
    )


def read_data_files() -> None:
    """Read the botocore data that calls need, before a test patches `open` or the file system."""
    service_description()
    known_regions()


def matches_shape(value: object, shape_name: str) -> bool:
    """Whether a value is a string that a shape of the model allows; for values from outside a request."""
    shape = service_description()["shapes"][shape_name]
    return (
        isinstance(value, str)
        and shape.get("min", 0) <= len(value) <= shape.get("max", len(value))
        and value in shape.get("enum", (value,))
        and re.fullmatch(shape.get("pattern", "(?s).*"), value, re.ASCII) is not None
        and not re.search("[\ud800-\udfff]", value)  # UTF-8 has no surrogates
    )


@functools.cache
def operation_names() -> frozenset[str]:
    """Return the names of all operations in the installed botocore."""
    return frozenset(service_description()["operations"])


@functools.cache
def modelled_errors(operation: str) -> frozenset[str]:
    """Return the codes of the errors that the model lists for an operation."""
    return frozenset(error["shape"] for error in service_description()["operations"][operation].get("errors", ()))
