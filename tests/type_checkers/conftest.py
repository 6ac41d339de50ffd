"""Type checkers over tests as users write them: collected where the Makefile has installed stubs of boto3."""

from __future__ import annotations

import sys
from pathlib import Path

STUBS = Path(__file__).parents[2] / ".make" / "typing"
PYRIGHT = Path(sys.executable).with_name("basedpyright")
collect_ignore_glob = [] if (STUBS / "types-boto3").exists() and PYRIGHT.exists() else ["test_*.py"]
