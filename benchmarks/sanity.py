"""What a check-up costs beside importing torch and its own training steps bare: `python -m benchmarks.sanity`.

Each model is examined by `nndoctor sanity` and, in turns within the same run, trained bare for as many steps on batches
of the same sizes; both are whole processes. Writes sanity.md beside this file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(0)
"""
TAIL = """
train_data = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
"""
MODELS = {
    "MLP of 0.2 M parameters": """
x = torch.randn(640, 64); y = x[:, :10].argmax(1); batch = 64
model = nn.Sequential(nn.Linear(64, 384), nn.ReLU(), nn.Linear(384, 384), nn.ReLU(), nn.Linear(384, 10))
""",
    "convolutions with batch normalization": """
x = torch.randn(320, 3, 8, 8); y = x.mean((2, 3)).argmax(1); batch = 32
def block(a, b): return nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
model = nn.Sequential(block(3, 16), block(16, 16), nn.MaxPool2d(2), block(16, 32), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 3))
""",
    "transformer encoder": """
x = torch.randint(0, 50, (320, 12)); y = (x == 3).any(1).long(); batch = 32
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 2)
    def forward(self, x): return self.head(self.body(self.embed(x)).mean(1))
model = Net()
""",
}
SLOW = """
import time
x = torch.randn(640, 8); y = x[:, :3].argmax(1); batch = 64
class Slow(nn.Linear):
    def forward(self, x):
        time.sleep({seconds})
        return super().forward(x)
model = Slow(8, 3)
"""
BARE = """
import runpy, sys
import torch
names = runpy.run_path(sys.argv[1])
model, loss, optimizer, data = (names[n] for n in ("model", "loss", "optimizer", "train_data"))
batches = list(data)
small = tuple(t[:16] for t in batches[0])
start = [p.detach().clone() for p in model.parameters()]
rate = optimizer.param_groups[0]["lr"]
def again(factor):
    with torch.no_grad():
        for p, first in zip(model.parameters(), start): p.copy_(first)
    optimizer.state.clear()
    optimizer.param_groups[0]["lr"] = rate * factor
def step(batch):
    optimizer.zero_grad()
    loss(model(batch[0]), batch[1]).backward()
    optimizer.step()
for k in range(int(sys.argv[2])):
    if k % 60 == 0: again((1, 10, 0.1, 100, 0.01, 3, 0.3)[k // 60 % 7])
    step(batches[k % len(batches)])
again(1)
for k in range(int(sys.argv[3])): step(small)
"""
EXAMINED = """
import sys
import nndoctor.cli.app
from nndoctor.diagnosis.session import Session
from nndoctor.reporters.page import Style
from nndoctor.reporters.terminal import render
from nndoctor.sanity.checkup import examine
from nndoctor.sanity.families import FAMILIES
from nndoctor.sanity.source import from_file
run = examine(from_file(sys.argv[1]))
print(render([Session().judge(run, families=FAMILIES)], Style()))
print("steps", run.fact("steps_taken"), run.fact("tiny_steps_taken"))
"""
RANGE = """
import sys, time, statistics
from nndoctor.sanity.probes import rates
from nndoctor.sanity.source import from_file
from nndoctor.sanity.bench import Bench, Clock, gather
from nndoctor.sanity.probes import parameters, steps
from nndoctor.sanity.state import Snapshot
subject = from_file(sys.argv[1])
bench = Bench(subject, Clock(600.0), 3, Snapshot(subject.model))
gather(bench); parameters.probe(bench); steps.measured(bench)
def bare(count):
    for k in range(count):
        batch = bench.batches[k % len(bench.batches)]
        if k % 60 == 0:
            bench.fresh_start()
            optimizer = bench.optimizer(factor=rates.LADDER[k // 60 % 7])
        optimizer.zero_grad()
        subject.loss(subject.model(batch[0]), batch[1]).backward()
        optimizer.step()
ratios = []
for turn in range(int(sys.argv[2])):
    before = bench.steps
    began = time.process_time(); rates.probe(bench); test = time.process_time() - began
    count = bench.steps - before
    began = time.process_time(); bare(count); ratios.append(test / (time.process_time() - began))
print("ratio", statistics.median(ratios), count)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """One model's figures: seconds of processor time of one turn, and the range test's ratio."""

    name: str
    steps: int
    examined: float
    bare: float
    ranged: float


def spent(script: str, *words: str) -> tuple[float, list[str]]:
    """Processor seconds of a process, its own and the system's, and the last line that it prints, in words."""
    before = os.times()
    done = subprocess.run([sys.executable, "-c", script, *words], check=True, capture_output=True, text=True)
    after = os.times()
    taken = after.children_user + after.children_system - before.children_user - before.children_system
    return taken, (done.stdout.splitlines() or [""])[-1].split()


def cost(name: str, path: str, turns: int) -> Cost:
    """The check-up and its bare steps in turns; the turn whose ratio is the middle one."""
    found = []
    for _ in range(turns):
        ours, said = spent(EXAMINED, path)
        theirs, _ = spent(BARE, path, said[1], said[2])
        found.append((ours / theirs, ours, theirs, int(said[1]) + int(said[2])))
    _, ours, theirs, steps = sorted(found)[len(found) // 2]
    return Cost(name, steps, ours, theirs, float(spent(RANGE, path, str(turns))[1][1]))


def within(path: str, budget: float) -> float:
    """Seconds by the clock of a check-up with a budget."""
    began = time.perf_counter()
    words = [sys.executable, "-m", "nndoctor", "sanity", path, "--budget", str(budget)]
    subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3, help="times that each pair is measured")
    turns = parser.parse_args().turns
    lines = [
        "# What a check-up costs",
        "",
        f"`python -m benchmarks.sanity --turns {turns}`: processor seconds of whole processes, the middle turn, one thread;",
        "bare is importing torch and the same number of training steps, at the same rates, on batches of the same sizes.",
        "",
        "| model | training steps | nndoctor sanity | bare | ratio | range test over its bare steps |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.py"
        for name, body in MODELS.items():
            path.write_text(HEAD + body + TAIL, encoding="utf-8")
            c = cost(name, str(path), turns)
            lines.append(
                f"| {c.name} | {c.steps} | {c.examined:.2f} s | {c.bare:.2f} s | {c.examined / c.bare:.2f} | {c.ranged:.2f} |"
            )
            print(lines[-1], flush=True)
        lines += ["", "| seconds a forward pass | budget | ended after |", "|---|---|---|"]
        for seconds, budget in ((0.001, 60), (0.1, 60), (10, 60)):
            path.write_text(HEAD + SLOW.format(seconds=seconds) + TAIL, encoding="utf-8")
            lines.append(f"| {seconds:g} | {budget} s | {within(str(path), budget):.0f} s |")
            print(lines[-1], flush=True)
    HERE.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
