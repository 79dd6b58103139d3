"""What the recorder does on a GPU: `python -m benchmarks.cuda [--steps N]` writes cuda.md beside this file.

Five things that the tests can only emulate: a sampled step waits for the device once and an idle one never, the overhead
of both, that of a whole run with the default schedule, the same weights with and without the recorder under mixed
precision and torch.compile, and losses in the rows of their own steps. Exit code 1 where one of them does not hold, 2
without a GPU.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.recorder_nets import Gpt
from nndoctor.recorder import Recorder

PAGE = Path(__file__).with_suffix(".md")
WARM = 20  # steps before anything is measured
EVERY = 10
IDLE = 0.0015  # the goal of benchmarks/recorder.md: share of a step
WHOLE = 0.03  # of a short run's time, which the default schedule keeps to
ROUNDS = 2
WORDS, LENGTH = 8192, 512  # of the language model


Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Way:
    """Which network is trained, and how; `sampled` is the goal for a sampled step, as a share of a bare one.

    Those of benchmarks/recorder.md, of a perceptron and of a GPT.
    """

    name: str
    net: Callable[[], nn.Module]
    batches: Callable[[int], list[Batch]]
    sampled: float
    amp: bool = False
    compiled: bool = False


def mlp() -> nn.Module:
    """So small that a step takes as long as its kernels take to launch."""
    layers = [nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(2048, 100))


def gpt() -> nn.Module:
    """Twelve blocks of 768, as GPT-2 has."""
    return Gpt(width=768, depth=12, words=WORDS, length=LENGTH)


def vectors(count: int) -> list[Batch]:
    """Made-up data that lie on the device."""
    source = torch.Generator(device="cuda").manual_seed(1)
    return [
        (
            torch.randn(512, 1024, generator=source, device="cuda"),
            torch.randint(100, (512,), generator=source, device="cuda"),
        )
        for _ in range(count)
    ]


def texts(count: int) -> list[Batch]:
    """Random tokens; each is its own target."""
    source = torch.Generator(device="cuda").manual_seed(1)
    tokens = [torch.randint(WORDS, (16, LENGTH), generator=source, device="cuda") for _ in range(min(count, 50))]
    return [(tokens[k % len(tokens)],) * 2 for k in range(count)]


WAYS = (
    Way("perceptron, float32", mlp, vectors, 0.20),
    Way("perceptron, mixed precision", mlp, vectors, 0.20, amp=True),
    Way("perceptron, torch.compile", mlp, vectors, 0.20, compiled=True),
    Way("GPT-2 small, mixed precision", gpt, texts, 0.04, amp=True),
)


class Loop:
    """One copy of the network and its training loop, with a recorder or without."""

    def __init__(self, way: Way, folder: Path | None, every: int | Literal["auto"] = EVERY) -> None:
        torch.manual_seed(0)
        self.model = way.net().cuda()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3)
        self.scaler = torch.amp.GradScaler("cuda", enabled=way.amp)
        self.amp = way.amp
        self.call: Callable[[Tensor], Tensor] = torch.compile(self.model) if way.compiled else self.model
        self.recorder = (
            None
            if folder is None
            else Recorder(self.model, self.optimizer, folder, every=every, scaler=self.scaler if way.amp else None)
        )
        self.losses: list[Tensor] = []

    def step(self, x: Tensor, y: Tensor) -> None:
        """One step; the loss stays on the device."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.float16, enabled=self.amp):
            loss = functional.cross_entropy(self.call(x), y)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.losses.append(loss.detach())
        if self.recorder is not None:
            self.recorder.step(loss)

    def close(self) -> None:
        """End the recording, while its folder is there."""
        if self.recorder is not None:
            self.recorder.close()


def waits(loop: Loop, data: list[Batch]) -> list[int]:
    """How often each step waits for the device, as torch counts it."""
    counts = []
    for x, y in data:
        with warnings.catch_warnings(record=True) as reported:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                loop.step(x, y)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        counts.append(sum("synchroniz" in str(one.message) for one in reported))
    loop.close()
    return counts


def milliseconds(loops: dict[str, Loop], data: list[Batch]) -> dict[str, list[float]]:
    """The time of each step of each loop; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in loops}
    for x, y in data:
        for name, loop in loops.items():
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
            begin.record()
            loop.step(x, y)
            end.record()
            torch.cuda.synchronize()
            times[name].append(begin.elapsed_time(end))
    return times


def seconds(loop: Loop, data: list[Batch]) -> float:
    """The time of a whole run without a warm-up, up to what is on disk at its end."""
    for x, y in data[:WARM]:
        loop.step(x, y)
    torch.cuda.synchronize()
    began = time.perf_counter()
    for x, y in data[WARM:]:
        loop.step(x, y)
    loop.close()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def share_of_default(way: Way, data: list[Batch], place: Path) -> float:
    """What the default schedule adds to a run, as a share of it; each run is alone, as the schedule goes by its own clock."""
    bare = watched = 0.0
    for k in range(ROUNDS):
        bare += seconds(Loop(way, None), data)
        watched += seconds(Loop(way, place / f"default-{k}", every="auto"), data)
    return watched / bare - 1


def same_weights(way: Way, data: list[Batch], folder: Path) -> bool:
    """Whether training ends with the same bits with a recorder on every other step and without one."""
    bare, watched = Loop(way, None), Loop(way, folder, every=2)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    with sdpa_kernel(SDPBackend.MATH):  # the other kernels of attention add up in any order
        for x, y in data:
            bare.step(x, y)
            watched.step(x, y)
    torch.use_deterministic_algorithms(mode=False)
    watched.close()
    pairs = zip(bare.model.parameters(), watched.model.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def own_rows(way: Way, data: list[Batch], folder: Path) -> bool:
    """Whether each row of the table holds the loss of its own step."""
    loop = Loop(way, folder)
    for x, y in data:
        loop.step(x, y)
    loop.close()
    with (folder / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = {int(row["step"]): float(row["loss"]) for row in csv.DictReader(file) if row["loss"]}
    wanted = [float(loss) for loss in loop.losses]
    return len(rows) == len(wanted) and all(abs(rows[k] - w) <= 1e-5 * max(abs(w), 1) for k, w in enumerate(wanted))


def measured(way: Way, steps: int, place: Path) -> tuple[str, list[str]]:
    """A row of the table, and what does not hold."""
    data = way.batches(steps)
    plain, watched = Loop(way, None), Loop(way, place / "waits")
    for loop in (plain, watched):
        for x, y in data[:WARM]:
            loop.step(x, y)
    extra = [b - a for a, b in zip(waits(plain, data), waits(watched, data), strict=True)]
    sampled, idle = max(extra), statistics.median(extra)
    loops = {
        "bare": Loop(way, None),
        "idle": Loop(way, place / "idle", every=10**9),
        "sampled": Loop(way, place / "sampled", every=1),
    }
    milliseconds(loops, data[:WARM])
    took = {name: statistics.median(times) for name, times in milliseconds(loops, data).items()}
    cost = {name: took[name] / took["bare"] - 1 for name in ("sampled", "idle")}
    for loop in loops.values():
        loop.close()
    share = share_of_default(way, 2 * data, place)
    same, rows = same_weights(way, data, place / "same"), own_rows(way, data, place / "rows")
    held = {
        "a sampled step waits more than once": sampled <= 1,
        "an idle step waits": idle == 0,
        "a sampled step costs too much": cost["sampled"] <= way.sampled,
        "an idle step costs too much": cost["idle"] <= IDLE,
        "a run with the default schedule costs too much": share <= WHOLE,
        "weights differ": same,
        "losses are not in their rows": rows,
    }
    cells = (
        way.name,
        f"{took['bare']:.2f} ms",
        f"{cost['sampled']:+.1%}",
        f"{took['sampled'] - took['bare']:.2f} ms",
        f"{cost['idle']:+.2%}",
        f"{share:+.1%}",
        f"{sampled:g}",
        f"{idle:g}",
        "yes" if same else "no",
        "yes" if rows else "no",
    )
    return f"| {' | '.join(cells)} |", [f"{way.name}: {words}" for words, holds in held.items() if not holds]


def main() -> int:
    """0 where all holds, 1 where something does not, 2 without a GPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    if not torch.cuda.is_available():
        sys.stderr.write("benchmarks.cuda needs an NVIDIA GPU and a build of torch for it\n")
        return 2
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # matrix products give the same bits each time
    torch._dynamo.config.recompile_limit = 100  # noqa: SLF001 - each loop compiles its own copy of a network
    rows, wrong = [], []
    for way in WAYS:
        with tempfile.TemporaryDirectory(prefix="nndoctor-cuda-") as place:
            row, failed = measured(way, given.steps, Path(place))
        rows.append(row)
        wrong += failed
    text = "\n".join(
        [
            "# The recorder on a GPU",
            "",
            f"Written by `python -m benchmarks.cuda` on {torch.cuda.get_device_name()}, torch {torch.__version__}.",
            "",
            "| loop | bare step | sampled step | more | idle step | default schedule | waits of a sampled step | of an idle step | same weights | losses in their rows |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"A whole run of {2 * given.steps} steps with the default schedule is compared with the same without a recorder. A step that is",
            "sampled and also written to disk, one in five seconds, waits a second time, for the losses that are still on the device.",
        ]
    )
    PAGE.write_text(text + "\n", encoding="utf-8")
    print(text, *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
