"""What watching costs: a log grows by a megabyte a second, and a watcher follows it.

`python -m benchmarks.watch` prints the share of one core that the watcher took, reading and judging.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from nndoctor.diagnosis.watch import Watch

RATE = 1_000_000  # bytes a second
SECONDS = 40.0
EVERY = 2.0


def grow(path: Path, until: float, spent: list[float]) -> None:
    """Write rows at RATE, a tenth of a second's worth at a time; `spent` gets the CPU seconds that it took."""
    began = time.thread_time()
    rng, k = np.random.default_rng(0), 0
    with path.open("w", encoding="utf-8") as file:
        file.write("step,loss,val_loss,lr\n")
        while time.monotonic() < until:
            stop, written = time.monotonic() + 0.1, 0
            while written < RATE / 10:
                noise = rng.random(2) * 0.01
                written += file.write(
                    f"{k},{2 / (k + 1) ** 0.3 + noise[0]:.6f},{2 / (k + 1) ** 0.3 + noise[1]:.6f},0.1\n"
                )
                k += 1
            file.flush()
            time.sleep(max(stop - time.monotonic(), 0))
    spent.append(time.thread_time() - began)


def main() -> None:
    """Follow the growing log and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.csv")
        end = time.monotonic() + SECONDS
        spent: list[float] = []
        writer = threading.Thread(target=grow, args=(path, end, spent))
        writer.start()
        time.sleep(0.3)
        watch = Watch([str(path)])
        watch.poll()  # the first look imports pandas
        began, looks, cost = time.monotonic(), 0, 0.0
        while time.monotonic() < end:
            time.sleep(min(max(EVERY, watch.pause), max(end - time.monotonic(), 0.01)))
            before = time.thread_time()
            watch.poll()
            cost += time.thread_time() - before
            looks += 1
        writer.join()
        share = cost / (time.monotonic() - began)
        size = path.stat().st_size
    print(f"grown by {size / 1e6:.0f} MB in {SECONDS:.0f} s, {looks} looks: {share:.1%} of one core (goal: under 5 %)")


if __name__ == "__main__":
    main()
