"""Measures what the recorder costs and how true its samples are; prints two tables and writes them to recorder.md.

python -m benchmarks.recorder [--rounds N]     about five minutes; wandb and tensorboard are measured where installed

Every way of watching trains a copy of the same net on the same batches, and they take turns step by step in one process;
CPU time of the process (user + system) counts, and of each way's steps the median, so that what else the machine does
falls on all alike.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.recorder_nets import TASKS, Task
from benchmarks.recorder_ways import IDLE, Watch, bare, naive, naive_same, recorder, tensorboard, wandb_watch
from nndoctor.recorder import Recorder
from nndoctor.recorder.pool import BATCH_SIZE
from nndoctor.recorder.recorder import BUDGET
from nndoctor.recorder.schedule import Schedule
from nndoctor.recorder.window import window

TABLE = Path(__file__).with_suffix(".md")


class Runner:
    """One copy of a net with one way of watching; a step gives its CPU seconds."""

    def __init__(self, net: nn.Module, watch: Callable[[nn.Module, torch.optim.Optimizer], Watch]) -> None:
        self.net = net
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
        self.watch = watch(net, self.optimizer)
        self.seconds: list[float] = []

    def step(self, x: Tensor, y: Tensor) -> None:
        """Train on a batch."""
        began = time.process_time()
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.net(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.watch(loss)
        self.seconds.append(time.process_time() - began)


def rounds(task: Task, count: int, folder: Path) -> dict[str, float]:
    """The CPU seconds of a step of each way: the median of blocks of so many steps as the recorder reckons together."""
    torch.manual_seed(0)
    net = task.net()
    ways: dict[str, Callable[[nn.Module, torch.optim.Optimizer], Watch]] = {
        "bare": bare,
        "idle": recorder(IDLE, folder / "idle"),
        "sampled": recorder(1, folder / "sampled"),
        "naive, five numbers": naive,
        "naive, the same numbers": naive_same,
    }
    if importlib.util.find_spec("tensorboard"):
        ways["tensorboard"] = tensorboard(folder / "tensorboard")
    if importlib.util.find_spec("wandb"):
        ways["wandb"] = wandb_watch(folder)
    runners = {name: Runner(copy.deepcopy(net), way) for name, way in ways.items()}
    order = list(runners)
    for _ in range(count * task.steps):
        x, y = task.batch()
        random.shuffle(order)
        for name in order:
            runners[name].step(x, y)
    warm = max(10, task.steps // 10)
    return {name: blocks(runner.seconds[warm:]) for name, runner in runners.items()}


def blocks(seconds: list[float]) -> float:
    """The median of the means of blocks."""
    means = [statistics.fmean(seconds[k : k + BATCH_SIZE]) for k in range(0, len(seconds) - BATCH_SIZE + 1, BATCH_SIZE)]
    return statistics.median(means)


def idle_cost(folder: Path) -> float:
    """CPU seconds of the recorder's own calls in a step that is not sampled, alone: too little to be seen in a whole step."""
    net = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    rec = Recorder(net, optimizer, folder, every=IDLE)
    net(torch.randn(1, 2)).sum().backward()
    loss = torch.tensor(1.0)
    optimizer.step()
    rec.step(loss=loss)
    best = []
    for _ in range(20):
        began = time.process_time()
        for _ in range(2000):
            rec._after_update(optimizer)  # noqa: SLF001 - what torch calls after the update
            rec.step(loss=loss)
        best.append((time.process_time() - began) / 2000)
        began = time.process_time()
        for _ in range(2000):
            loss.item()
        best[-1] -= (time.process_time() - began) / 2000
    rec.close()
    return statistics.median(best)


def default_share(sampled: float, idle: float, bare_step: float, steps: int) -> tuple[float, int]:
    """The share of a run of so many steps, by the schedule's own choice of steps and the costs measured; its samples."""
    schedule, at, taken = Schedule(None, BUDGET, 7), 0, 0
    while at < steps:
        schedule.cost(sampled - bare_step)
        taken += 1
        at = schedule.after(at, 0, bare_step)
    return (taken * (sampled - bare_step) + steps * idle) / (steps * bare_step), taken


def bias() -> list[str]:
    """Rows: how far means of 2000 samples lie from the truth, in the tensor's own standard deviations, and one sample's error."""
    torch.manual_seed(0)
    wave = torch.sin(torch.arange(64) * 2 * torch.pi / 8)
    cases = {
        "noise, (128, 512)": (torch.randn(128, 512), False),
        "rows with a period of 8, (512, 64, 16, 16)": (
            torch.randn(512, 64, 16, 16) + wave.repeat(8)[:, None, None, None], True),
        "bright centre, (32, 32, 32, 32)": (
            torch.randn(32, 32, 32, 32) + 2 * torch.outer(torch.hann_window(32), torch.hann_window(32)), True),
        "ReLU of noise, (128, 64, 16, 16)": (torch.randn(128, 64, 16, 16).relu(), True),
    }  # fmt: skip
    rng, rows = random.Random(1), []  # noqa: S311 - no secret
    for name, (x, first) in cases.items():
        means, spreads, zeros = [], [], []
        for _ in range(2000):
            seen = window(x.shape, x.stride(), first=first, rng=rng)
            assert seen is not None
            part = x.as_strided(*seen)
            means.append(part.mean().item())
            spreads.append(part.square().mean().sqrt().item())
            zeros.append((part == 0).float().mean().item())
        std, size = x.std().item(), x.square().mean().sqrt().item()
        rows.append(
            f"| {name} | {(statistics.mean(means) - x.mean().item()) / std:+.4f} | {statistics.stdev(means) / std:.3f} "
            f"| {statistics.mean(spreads) / size - 1:+.2%} | {statistics.mean(zeros) - (x == 0).float().mean().item():+.4f} |"
        )
    return rows


def measure(count: int) -> str:
    """The whole page."""
    lines = [
        "# What the recorder costs, and how true its samples are", "",
        "Written by `python -m benchmarks.recorder`; CPU time, all ways in turns step by step, medians of blocks of 16 steps.",
        f"Python {platform.python_version()}, torch {torch.__version__}, one thread.", "",
        "| net | bare step | sampled step | at most | idle step | at most 0.15 % | default, 10 000 steps (samples) | 100 000 steps | at most 0.5 % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    others = [
        "",
        "At the same interval (each step), as times what the recorder adds (goals: naive 3x, TensorBoard and wandb 15x). The five",
        "numbers are mean, deviation and zeros of each output, and the norms of weights and gradients; the same are all that",
        "the recorder keeps.",
        "",
    ]
    with tempfile.TemporaryDirectory() as at, redirect_stdout(StringIO()):
        idle = idle_cost(Path(at) / "alone")
        for k, task in enumerate(TASKS):
            folder = Path(at) / str(k)
            folder.mkdir()
            found = rounds(task, count, folder)
            base, sampled = found["bare"], found["sampled"]
            share, met = sampled / base - 1, ("no", "yes")
            short, samples = default_share(sampled, idle, base, 10_000)
            long, _ = default_share(sampled, idle, base, 100_000)
            lines.append(
                f"| {task.name} | {1e3 * base:.2f} ms | +{share:.1%} | {task.goal:.0%}: {met[share <= task.goal]} "
                f"| +{idle / base:.3%} | {met[idle / base <= 0.0015]} | +{short:.2%} ({samples}) | +{long:.2%} | {met[long <= 0.005]} |"
            )
            more = ", ".join(
                f"{name}: {(found[name] - base) / (sampled - base):.1f}x"
                for name in ("naive, five numbers", "naive, the same numbers", "tensorboard", "wandb")
                if name in found
            )
            others.append(f"* {task.name}: {more}")
    text = [
        "", f"An idle step is {1e6 * idle:.1f} us of calls, measured alone: beside a whole step it drowns in the noise.",
        "The default's share is reckoned from the steps that the schedule chooses and the measured costs. A short run's is",
        "higher: it gets 40 samples as soon as they cost at most 3 % of its time, and at least one for each doubling of its",
        "length; later samples wait until those are paid for.",
        *others,
        "", "## Bias of sampling", "",
        "2000 samples of each tensor; mean error and one sample's error in standard deviations of the tensor.", "",
        "| tensor | mean, bias | mean, one sample's error | size (root mean square), bias | zero share, bias |",
        "|---|---|---|---|---|",
        *bias(),
    ]  # fmt: skip
    return "\n".join([*lines, *text]) + "\n"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="rounds of each net")
    torch.set_num_threads(1)
    page = measure(parser.parse_args().rounds)
    print(page)
    TABLE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
