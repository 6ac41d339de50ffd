"""Tests of asynchronous clients: collected where such clients are installed, in environments the Makefile makes."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("aiobotocore") else ["test_*.py"]
if not find_spec("aioboto3"):
    collect_ignore_glob.append("test_aioboto3.py")
if not find_spec("moto"):
    collect_ignore_glob.append("test_services.py")
