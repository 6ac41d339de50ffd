"""`make bench`: this mock, moto, and botocore answered by constants, in one run, against the targets of the project.

The subjects take turns, round by round, so that the machine's drift cancels. The least of a subject's figures counts,
which is the one that other processes disturbed least; but the median of cold calls, and where moto makes RSA keys,
since how long one takes is chance. What is measured is what users run: no switches exist for benchmarks. The tables
are Markdown; `docs/performance.md` shows those of one run.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import calls
import cycles
import growth
import services
import start_up
import suites
from tables import Table, lines_of, replaced
from timing import FULL, SMOKE, Effort

#: What is measured, and in this order.
TOPICS: dict[str, Callable[[Effort], Iterator[Table]]] = {
    "calls": calls.tables,
    "cycles": cycles.tables,
    "services": services.tables,
    "growth": growth.tables,
    "start-up": start_up.tables,
    "suites": suites.tables,
    "large-suite": suites.large_tables,
}
QUICK = ("calls", "cycles", "services")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"what to measure: {', '.join(TOPICS)}")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--smoke", action="store_true", help="run every line once; the figures mean nothing")
    parser.add_argument("--page", type=Path, metavar="FILE.md", help="also write the tables to a page that has them")
    options = parser.parse_args()
    if unknown := set(options.topics) - TOPICS.keys():
        parser.error(f"unknown topic: {', '.join(sorted(unknown))}")
    effort = SMOKE if options.smoke else FULL

    start = time.perf_counter()
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    missed = total = 0
    for topic in options.topics or (QUICK if options.quick else TOPICS):
        for table in TOPICS[topic](effort):
            print(f"\n## {table.title}\n", *lines_of(table), sep="\n", flush=True)
            if options.page:
                options.page.write_text(replaced(options.page.read_text(), table))
            missed += sum(row.met is False for row in table.rows)
            total += len(table.rows)
    print(f"\n{missed or 'No'} of {total} targets missed; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
