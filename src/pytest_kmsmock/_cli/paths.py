"""Types of arguments that are paths: what cannot be written is an error before a command begins its work."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def output_file(given: str) -> Path:
    """Return the path of a file to write.

    Raises:
        argparse.ArgumentTypeError: it is a folder, or its folder does not exist.
    """
    path = Path(given)
    if os.path.isdir(path):  # noqa: PTH112 - False for names that are too long, where Path.is_dir() raises an error
        raise argparse.ArgumentTypeError(f"{given!r} is a folder; give the name of a file")
    if not os.path.isdir(path.parent):  # noqa: PTH112 - likewise
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}; create it, or write elsewhere")
    return path


def folder(given: str) -> Path:
    """Return the path of a folder, which may be created later.

    Raises:
        argparse.ArgumentTypeError: it is a file.
    """
    path = Path(given)
    if os.path.isfile(path):  # noqa: PTH113 - likewise
        raise argparse.ArgumentTypeError(f"{given!r} is a file; give a folder")
    return path
