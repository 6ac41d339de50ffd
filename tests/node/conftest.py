"""The AWS SDK for JavaScript: collected where node is present and the Makefile has installed the SDK."""

from __future__ import annotations

import shutil
from pathlib import Path

SDK = Path(__file__).parents[2] / ".make" / "node" / "node_modules" / "@aws-sdk" / "client-kms"
collect_ignore_glob = [] if shutil.which("node") and SDK.exists() else ["test_*.py"]
