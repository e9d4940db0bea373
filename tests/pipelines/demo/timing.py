"""How fast the demo is simulated; run by hand: python tests/pipelines/demo/timing.py [people ...]."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from headway_pipelines.demo import simulate


def main() -> None:
    for people in [int(argument) for argument in sys.argv[1:]] or [1_000, 20_000]:
        with TemporaryDirectory() as folder:
            wall, cpu = time.perf_counter(), time.process_time()
            log = simulate(Path(folder), people=people).log
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{people:>9,} people  {log['lines']:>12,} lines  {wall:6.1f} s  {log['lines'] / wall:>9,.0f} lines/s  "
            f"{log['lines'] / cpu:>9,.0f} lines/CPU s  {log['compressed'] / 2**20:,.0f} MiB gzip  "
            f"{rss:,.0f} MiB peak"
        )


if __name__ == "__main__":
    main()
