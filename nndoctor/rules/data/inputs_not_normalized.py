"""The inputs are on a scale far from one."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED, PLAUSIBLE
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_RMS = 12.0  # root mean square: pixels of 0 to 255, ages, prices; standardized inputs have 1, [0, 10] has 6
MILD_RMS = 2.5  # from which a trial decides: without one it is a remark
MIN_LARGEST = 0.02  # the largest value: pixels that were divided by 255 twice reach 0.004
MIN_SPREAD = 0.02  # standard deviation over root mean square: of pixels of 0 to 1 it is 0.3 and more
FEATURES_APART = 10.0  # ratio of the features' standard deviations from which the message gives their range


def check(run: Run) -> Iterator[Symptom]:
    """Judge the values that the first layer with weights takes, unless it normalizes them."""
    if run.fact("first_layer_normalizes"):
        return
    rms, largest = (run.number(n) for n in ("first_layer_rms", "first_layer_largest"))
    evidence = {
        "root_mean_square": rms,
        "largest": largest,
        "low": run.known("input_low"),
        "high": run.known("input_high"),
    }
    if rms > MILD_RMS:
        low, high = run.known("feature_scale_low"), run.known("feature_scale_high")
        apart = (
            f"; the features' standard deviations range from {number(low)} to {number(high)}"
            if low and high and high > FEATURES_APART * low
            else ""
        )
        text = f"inputs are not normalized (RMS {number(rms)}, max {number(largest)}){apart}"
        scaled = run.fact("table_apart") or run.fact("first_layer_normalized_after")  # as the model may do itself
        sure = rms > MAX_RMS and not scaled
        yield Symptom(text, MEASURED if sure else PLAUSIBLE, evidence, place="train_data")
    elif 0 < run.number("first_layer_spread") < MIN_SPREAD * rms:
        text = f"inputs hardly differ from each other (RMS {number(rms)}, standard deviation {number(run.number('first_layer_spread'))}): were they scaled twice?"
        yield Symptom(text, MEASURED, evidence, place="train_data")
    elif 0 < largest < MIN_LARGEST and not run.fact("table_apart"):
        text = f"inputs are very small (max {number(largest)}): were they scaled twice?"
        yield Symptom(text, MEASURED, evidence, place="train_data")


RULE = Rule(
    code="NN601",
    name="inputs-not-normalized",
    severity=Severity.WARNING,
    title="inputs are far from zero mean and unit standard deviation",
    needs={"fact:first_layer_rms": 1, "fact:first_layer_largest": 1},
    check=check,
    why="Gradients of the first layer's weights are proportional to its inputs. With inputs in the hundreds the loss is much steeper in some directions than in others, and no single learning rate suits all; with inputs near 0.001 it is flat.",
    how=f"The root mean square of the inputs of the first layer with weights is over {MAX_RMS:g} (over {MILD_RMS:g} where standardized inputs are tried and learn better), their largest value under {MIN_LARGEST:g}, or their standard deviation under {percent(MIN_SPREAD)} of it, and no normalization comes before it. Of a table of numbers beside tokens or categories, which the model may scale itself, the trial decides as well.",
    sources=(
        Reference("LeCun et al., Efficient BackProp, 1998, section 4.3"),
        Reference("CS231n notes, Neural Networks Part 2 and 3", "https://cs231n.github.io/neural-networks-3/"),
    ),
    remedies=("normalize-inputs", "batch-normalization", "lower-learning-rate"),
    sick=(
        Run.drawn({"first_layer_rms": 101.3, "first_layer_largest": 255.0, "input_low": 0.0, "input_high": 255.0}),
        Run.drawn({"first_layer_rms": 0.0018, "first_layer_largest": 0.0039}),
        Run.drawn({"first_layer_rms": 1.99, "first_layer_largest": 2.0, "first_layer_spread": 0.005}),
    ),
    healthy=(
        Run.drawn({"first_layer_rms": 0.44, "first_layer_largest": 1.0}),
        Run.drawn({"first_layer_rms": 101.3, "first_layer_largest": 255.0, "first_layer_normalizes": True}),
    ),
)
