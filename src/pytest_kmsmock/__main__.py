"""Run `python -m pytest_kmsmock`."""

from __future__ import annotations

import sys

from pytest_kmsmock._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
