"""What `nndoctor train` costs beside the same loop written by hand in plain PyTorch.

`python -m benchmarks.train` writes benchmarks/train.md. Both loops take turns in one process, in CPU time; the networks
are large enough for a step to take a millisecond and more.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from nndoctor.experiment.data import batches
from nndoctor.experiment.experiment import Experiment
from nndoctor.training.loop import Training
from nndoctor.training.options import OptimizerName, TrainingOptions

ROUNDS = 7
STEPS = 400
TABLE = Path(__file__).with_suffix(".md")


def mlp() -> nn.Module:
    """784-512-512-10."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def convolutional() -> nn.Module:
    """Three convolutions on 1 x 28 x 28."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 49, 10),
    )  # fmt: skip


def data() -> tuple[torch.Tensor, torch.Tensor]:
    """Made-up digits: a hundred batches of 128."""
    source = torch.Generator().manual_seed(0)
    return torch.randn(12_800, 784, generator=source), torch.randint(10, (12_800,), generator=source)


def by_hand(model: nn.Module) -> float:
    """CPU seconds of the plain loop: the same steps, the loss and the hits kept, nothing else."""
    loader = DataLoader(TensorDataset(*data()), batch_size=128, shuffle=True)
    optimizer, loss = torch.optim.SGD(model.parameters(), 0.01, 0.9), nn.CrossEntropyLoss()
    began, losses, met, done = time.process_time(), [], torch.zeros(()), 0
    while done < STEPS:
        for x, y in loader:
            optimizer.zero_grad(set_to_none=True)
            output = model(x)
            found = loss(output, y)
            found.backward()
            optimizer.step()
            losses.append(found.detach())
            met += (output.detach().argmax(1) == y).sum()
            done += 1
    return time.process_time() - began


def with_doctor(model: nn.Module) -> float:
    """CPU seconds of `nndoctor train`'s loop: recorder, checkpoints and live diagnosis on."""
    train = batches("train_data", data(), shuffle=True, size=128)
    experiment = Experiment("bench.py", model, train, nn.CrossEntropyLoss())
    with tempfile.TemporaryDirectory() as folder:
        options = TrainingOptions(steps=STEPS, optimizer=OptimizerName.momentum, lr=0.01, device="cpu")
        training = Training(experiment, options, Path(folder, "run"))
        began = time.process_time()
        training.run()
        return time.process_time() - began


def main() -> None:
    """Time, print and write the table."""
    torch.set_num_threads(1)
    rows = []
    for name, make in (("MLP 784-512-512-10, batch 128", mlp), ("small convolutional net, batch 128", convolutional)):
        pairs = [(by_hand(make()), with_doctor(make())) for _ in range(ROUNDS)]
        ratio = median(ours / theirs for theirs, ours in pairs)
        step = 1000 * median(theirs for theirs, _ in pairs) / STEPS
        rows.append(f"| {name} | {step:.1f} ms | {ratio:.3f}x | 1.03x |\n")
    text = (
        "# Training\n\n`python -m benchmarks.train`, median of seven rounds, CPU time, side by side in one process.\n\n"
        "| network | a step by hand | with nndoctor train | goal |\n|---|---|---|---|\n" + "".join(rows)
    )
    TABLE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
