"""Loss and accuracy over held-out batches, in evaluation mode."""

from __future__ import annotations

import torch

from nndoctor.experiment.data import Batches, moved
from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.steps import correct_targets, step_result


def evaluate(experiment: Experiment, data: Batches, device: torch.device) -> dict[str, float]:
    """Mean `loss` by example and, where it is a classification, `accuracy` in [0, 1]; the model's mode is put back."""
    model = experiment.model
    was = {name: module.training for name, module in model.named_modules()}
    model.eval()
    loss, examples, met, targets = torch.zeros((), device=device), 0, torch.zeros((), device=device), 0
    try:
        with torch.no_grad():
            for batch in data:
                found = step_result(experiment, moved(batch, device))
                loss += found.loss.float() * found.examples
                examples += found.examples
                counted = correct_targets(found)
                if counted is not None:
                    met += counted[0]
                    targets += counted[1]
    finally:
        for name, module in model.named_modules():
            module.training = was.get(name, True)
    if not examples:
        return {}
    values = {"loss": float(loss) / examples}
    if targets:
        values["accuracy"] = float(met) / targets
    return values
