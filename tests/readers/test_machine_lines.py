"""Speed and memory on lines of their own below a line that says the step, as Composer prints them."""

from __future__ import annotations

import nndoctor

LINES = """[batch={at}/1000]:
\t Train time/batch: {before}
\t Train memory/current_active_mem: {memory:.4f}
\t Train loss/train/total: {loss:.4f}
\t Train throughput/batches_per_sec: {speed:.4f}
"""
ENDING = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.95 GiB.\n"


def log(tmp_path, growth):
    path = tmp_path / "composer.log"
    steps = range(5, 205, 5)
    text = [
        LINES.format(at=k, before=k - 1, memory=8 + growth * k, loss=4 * 0.995**k, speed=16 / (1 + growth * k / 40))
        for k in steps
    ]
    path.write_text("".join(text) + ENDING)
    return path


def test_speed_and_memory_are_read(tmp_path):
    (run,) = nndoctor.read(log(tmp_path, 0.3))
    assert {"memory", "throughput", "train/loss"} <= run.series.keys()
    assert len(run.series["memory"]) == len(run.series["train/loss"]) == 40


def test_a_leak_is_the_first_thing_to_try(tmp_path):
    leaks = nndoctor.diagnose(log(tmp_path, 0.3), isolated=True).findings
    assert leaks[0].name == "out-of-memory"
    assert leaks[0].remedies[0].name == "detach-what-is-kept"
    assert {"memory-grows", "throughput-falls"} <= {f.name for f in leaks}
    steady = nndoctor.diagnose(log(tmp_path, 0.0), isolated=True).findings
    assert steady[0].remedies[0].name == "smaller-batch"
