"""Progress bars that are drawn full several times in an epoch, as Lightning redraws its own after the validation."""

from __future__ import annotations

import pytest

import nndoctor
from tests.readers.wild import HELD, TRAIN, N

BAR = "Epoch {k}: {p:3d}%|####| {done}/40 [00:01<00:00, 99.1it/s, train_loss_step=9.9{held}]"
VALIDATION = (
    "\nValidation: |     | 0/? [00:00<?, ?it/s]\x1b[A"
    "\n\rValidation DataLoader 0:   0%|     | 0/5 [00:00<?, ?it/s]\x1b[A"
    "\n\rValidation DataLoader 0: 100%|#####| 5/5 [00:00<00:00, 94.2it/s]\x1b[A"
    "\n\r                                       \x1b[A"
)


def _lightning(epochs: int = N) -> str:
    """Each epoch's bar is full with the values of the epoch before, then with its own, and begins the next line empty."""
    text, held = "", ""
    for k in range(epochs):
        text += "".join(f"\r{BAR.format(k=k, p=p, done=4 * p // 10, held=held)}" for p in (0, 50, 100)) + VALIDATION
        held = f", val_loss={HELD[k]}, train_loss_epoch={TRAIN[k]}"
        text += f"\r{BAR.format(k=k, p=100, done=40, held=held)}"
        text += f"\r{BAR.format(k=k, p=0, done=0, held=held)}" if k < epochs - 1 else "\n"
    return text


@pytest.mark.parametrize("epochs", [N, 5])
def test_a_bar_drawn_full_again_behind_the_validation_gives_the_values_of_its_own_epoch(pasted, epochs: int) -> None:
    run = pasted(_lightning(epochs))
    assert run.series["validation/loss"].values.tolist() == pytest.approx(HELD[:epochs])
    assert run.series["validation/loss"].steps.tolist() == list(range(epochs))


@pytest.mark.parametrize("epochs", [N, 5])
def test_the_mean_of_an_epoch_is_preferred_to_its_last_step(pasted, epochs: int) -> None:
    assert pasted(_lightning(epochs)).series["train/loss"].values.tolist() == pytest.approx(TRAIN[:epochs])


def test_a_second_bar_of_the_same_name_and_length_is_of_something_else(tmp_path) -> None:
    """A loop that draws its training and its validation alike says nothing of which is which: the first one counts."""
    log = tmp_path / "train.log"
    bar = "Epoch {k}: {p:3d}%|####| {p}/100 [00:01<00:00, 99.1it/s, loss={value}]\n"
    values = [(k, loss) for k in range(N) for loss in (TRAIN[k], HELD[k])]
    log.write_text("".join(bar.format(k=k, p=p, value=value) for k, value in values for p in (50, 100)))
    (run,) = nndoctor.read(str(log))
    assert run.series["train/loss"].values.tolist() == pytest.approx(TRAIN)
