"""Tests of the AWS CLI: collected where it is installed, in an environment the Makefile makes."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("awscli") else ["test_*.py"]
