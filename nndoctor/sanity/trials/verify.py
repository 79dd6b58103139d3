"""Which warnings are borne out by a trial: what a remedy gains is noted, and what gains nothing becomes a remark."""

from __future__ import annotations

import math

import torch

from nndoctor.core.finding import Finding, Severity
from nndoctor.core.formatting import number
from nndoctor.rules.data.inputs_not_normalized import MAX_RMS
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.probes.rates import least_loss
from nndoctor.sanity.trials import remedies as r
from nndoctor.sanity.trials.compare import Result, Trials

REACHED = 0.02  # of the way to the floor: with so little left, nothing can be gained
LEAST = 0.002  # of that way: a remedy that gains less may be luck
HARM = 0.1  # of what the best of both gains: a remedy that gains so much more shows harm
MILD = 0.25  # of it, for inputs that are not far from normalized
SLOW = 0.5  # of it, for a learning rate: a safe one that learns half as fast is no fault
SLOW_IF_UNUSUAL = 0.25  # the same for a rate that is far above what is usual, or that fails where a lower one does not
SURE = 0.9  # confidence with which a finding remains a warning where no trial could be made
WORSE = -0.1  # of what there is to gain: a range test in which the configured rate lost so much needs no longer trial
FEW = 150  # steps of a trial
LONGEST = 5000  # steps of a training that is followed to its end
FAR_ABOVE = 10.0  # times the loss of a constant output
RAW, FAR_RMS = ("inputs-not-normalized", "targets-not-normalized"), 1000.0
STILL, MUCH = 0.02, 0.3  # of it: the configured rate gained less, a lower one more in the same few steps
MUCH_IN_ALL = 0.2  # the same where several seeds agree, or where the rate that gains it is far higher
FAR = 100.0  # times the configured rate
RESOLUTION = torch.finfo(torch.float32).eps / 2  # of a weight: what is smaller is lost as it is added
MOST_POWERS = 5  # of ten, by which a rate is raised whose steps are too small
FAR_UP = 10.0  # times the first loss: a loss that rises so far in a few steps has diverged
SCALED = ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta")
"""Optimizers whose steps do not grow with the gradients."""
ROUNDS = 4  # a finding that becomes a remark may bring up another that it explained

RESTART = (r.DEFAULT, r.HE)
CURES: dict[str, tuple[r.Remedy, ...]] = {
    "saturated-activation": (r.BOTH, r.INPUTS, *RESTART, r.LOWER),
    "signal-grows": RESTART,
    "signal-shrinks": RESTART,
    "initialization-unfit-for-activation": RESTART,
    "initial-loss-off-chance": (r.HEAD, *RESTART, r.INPUTS, r.BOTH),
    "vanishing-gradient": (*RESTART, r.UNSQUASHED, r.SHORTCUTS),
    "exploding-gradient": (r.CLIPPED, r.LOWER, r.DEFAULT, r.BOTH),
    "dead-relu": (r.DEFAULT, r.LOWER, r.INPUTS),
    "constant-output": (r.DEFAULT, r.LOWER, r.BOTH, r.HIGHER),
    "inputs-not-normalized": (r.INPUTS, r.BOTH, r.FIRST_LAYER),
    "targets-not-normalized": (r.TARGETS, r.BOTH),
    "missing-nonlinearity": (r.NONLINEAR,),
    "sigmoid-in-hidden-layers": (r.UNSQUASHED,),
    "deep-without-shortcuts-or-normalization": (r.SHORTCUTS, *RESTART),
    "optimizer-misses-parameters": (r.WHOLE,),
    "regularization-excessive": (r.UNDECAYED, r.UNDROPPED),
    "loss-scales-with-batch": (r.LOWER, r.rate(0.01)),
    "ranks-drift-apart": (r.DEFAULT,),
    "activations-not-zero-centred": (r.DEFAULT,),
}
"""What is tried against each finding. Findings that are not here are facts, or rest on trials of their own."""

OF_START = ("signal-grows", "signal-shrinks", "initialization-unfit-for-activation", "initial-loss-off-chance")
"""What first weights are found to do: training makes it good where it only begins more slowly."""

NEVER_TRAINED = ("optimizer-misses-parameters", "frozen-parameters")
"""What no longer training makes up for."""

FACTS = {
    "optimizer-misses-parameters": {"output_layer", "missed_untrained", "hidden"},
    "frozen-parameters": {"output_layer"},
    "lr-outside-usable-range": {"calls", "moved"},
    "targets-not-normalized": {"error_of_mean"},
    "update-ratio-off": {"clipped_to"},
}
"""Evidence with which these findings need no trial."""


def cures(bench: Bench, finding: Finding) -> tuple[r.Remedy, ...]:
    """What to try against a finding; nothing for a fact."""
    if finding.evidence.keys() & FACTS.get(finding.name, set()):
        return ()  # what training makes of it is measured already, or no trial can judge it
    if finding.name == "lr-outside-usable-range":
        return _of_rate(bench)
    if finding.name == "update-ratio-off":
        return _higher(finding) if _moves_too_little(finding) else (r.LOWER,)
    if "frozen_untrained" in finding.evidence:
        return (r.THAWED,)
    if finding.name == "frozen-parameters":  # a train_step that moves nothing is a fact
        return (r.WHOLE,) if bench.facts.get("missed_parameters") and "own_calls" not in finding.evidence else ()
    if "loss_after" in finding.evidence:
        return (r.HEAD, *RESTART)
    if "label_smoothing" in finding.evidence:
        return ()
    if "penalty_over_data" in finding.evidence and bench.facts.get("penalty_kind") == "a penalty within the loss":
        return ()  # without it the loss is another
    return CURES.get(finding.name, ())


def _higher(finding: Finding) -> tuple[r.Remedy, ...]:
    """The rate at which steps have their usual size, by powers of ten, and one ten times as high; nothing where weights cannot hold the steps."""
    ratio, usual = (finding.evidence.get(name) for name in ("update_ratio", "healthy"))
    if not isinstance(ratio, float) or not isinstance(usual, float) or ratio <= 0:
        return (r.HIGHER,)
    if ratio < RESOLUTION:
        return ()
    power = min(round(math.log10(usual / ratio)), MOST_POWERS)
    return (r.rate(10.0**power), r.HIGHER) if power > 1 else (r.HIGHER,)


def _moves_too_little(finding: Finding) -> bool:
    """Whether a step changes the weights by less than it usually does; of weights that grew, the first steps count."""
    evidence = finding.evidence
    ratio, usual = evidence.get("update_ratio", evidence.get("first_update_ratio")), evidence.get("healthy")
    return isinstance(ratio, float) and isinstance(usual, float) and ratio < usual


def _of_rate(bench: Bench) -> tuple[r.Remedy, ...]:
    best, now = bench.number("lr_suggested"), bench.number("lr_configured")
    return (r.rate(best / now),) if best > 0 and now > 0 and not _blows_up(bench) else ()


def _blows_up(bench: Bench) -> bool:
    """Whether the configured rate is too high beyond doubt."""
    return bool(bench.facts.get("lr_blows_up")) and bench.facts.get("lr_side") == "above"


def verify(bench: Bench, trials: Trials, findings: tuple[Finding, ...]) -> bool:
    """Try the cures of each warning and error that is not yet judged; whether any judgement was added."""
    added = False
    for finding in findings:
        if finding.name == "diverged" and not _judged(bench, "diverged"):
            added |= _recovers(bench, trials)
            continue
        wanted = cures(bench, finding)
        if finding.severity is Severity.INFO or not wanted or _judged(bench, finding.name):
            continue
        added = True
        _verified(bench, trials, finding, wanted)
    return added


def _recovers(bench: Bench, trials: Trials) -> bool:
    """Whether a loss that rises in the first steps, as that of a codebook, comes down again in a longer training."""
    own = None if bench.subject.blind or not trials.plan() else trials.of(None)
    losses = bench.series["train/loss"].y if "train/loss" in bench.series else None
    if own is None and losses is not None and float(losses[-1]) < FAR_UP * abs(float(losses[0])):
        bench.fact("remark:diverged", "the budget left no time to see whether it comes down again")
        return True
    if own is None or not all(after < before for before, after in zip(own.before, own.after, strict=True)):
        return False
    text = f"it rises at first and falls later: after {trials.steps} steps it is {_loss(own.end)}"
    bench.fact("remark:diverged", text)
    return True


def _judged(bench: Bench, name: str) -> bool:
    return f"remark:{name}" in bench.facts or f"harm:{name}" in bench.facts


def _verified(bench: Bench, trials: Trials, finding: Finding, wanted: tuple[r.Remedy, ...]) -> None:
    name = finding.name
    if bench.subject.blind or bench.facts.get("loss_has_gradient") is False:
        bench.fact(f"remark:{name}", "there is no single loss by which to compare it with a remedy")
        return
    own = trials.of(None) if trials.plan() and not _too_short(bench, trials, name) else None
    known = "" if own is None else _beyond_doubt(bench, trials, name, own)
    if known:
        bench.fact(f"harm:{name}", known)
        return
    if own is None:
        _untried(bench, finding, sure=finding.confidence >= SURE)
        return
    _compared(bench, trials, finding, own, wanted)


def _beyond_doubt(bench: Bench, trials: Trials, name: str, own: Result) -> str:
    """What shows harm without a remedy: a loss that stays far above that of a constant, and units that no remedy reaches within a step."""
    constant = bench.number("constant_loss")
    if name == "initial-loss-off-chance" and 0 < FAR_ABOVE * constant < own.end < math.inf:
        return f"after {trials.steps} steps the loss is {_loss(own.end)}"
    raw = name in RAW and bench.subject.step is not None
    return "numbers of such a size need no trial" if raw and bench.number("first_layer_rms") > FAR_RMS else ""


def _too_short(bench: Bench, trials: Trials, name: str) -> bool:
    """Whether so few steps do not tell a rate that is too low from a slow start."""
    below = name == "lr-outside-usable-range" and bench.facts.get("lr_side") == "below"
    return below and trials.steps < FEW


def _in_all(bench: Bench, trials: Trials, name: str) -> Result | None:
    """The file's own set-up after all steps of its training; None where they are not known, or no longer than a trial.

    Of a rate that is too low, one so many times as high stands for so many times the steps.
    """
    planned = 0 if name in NEVER_TRAINED else bench.subject.plan.steps or 0
    longer = planned / trials.steps
    if longer <= 1:
        return None
    if name == "lr-outside-usable-range":
        best = bench.number("lr_suggested") / max(bench.number("lr_configured"), 1e-30)
        return trials.of(r.rate(min(longer, best))) if best > 1 else None
    return trials.in_all(min(planned, LONGEST))


def _compared(bench: Bench, trials: Trials, finding: Finding, own: Result, wanted: tuple[r.Remedy, ...]) -> None:
    """Compare the training as it is with one remedy after the other, until one shows harm."""
    name, limit = finding.name, _limit(bench, finding)
    best: tuple[float, str] | None = None
    unclear = False
    for remedy in wanted:
        other = trials.of(remedy)
        if other is None:
            break
        best = min(filter(None, (best, (other.end, remedy.words))))
        unclear |= _gain(bench, own, other) > limit
        if harm(bench, own, other) > limit:
            whole = _in_all(bench, trials, name)
            text = f"after {trials.steps} steps the loss is {_loss(own.end)}, with {remedy.words} {_loss(other.end)}"
            if whole is not None and harm(bench, whole, other) <= limit:
                bench.fact(
                    f"remark:{name}", f"the {bench.subject.plan.steps} steps of the training make up for it: {text}"
                )
            else:
                bench.fact(f"harm:{name}", text)
            return
    if best is None:
        _untried(bench, finding, sure=False)
        return
    tried = f"after {trials.steps} steps {_loss(own.end)}, with {best[1]} {_loss(best[0])}"
    amount = "little" if best[0] < own.end else "no"
    verdict = "the seeds disagree on whether it does harm" if unclear else f"it does {amount} harm here"
    bench.fact(f"remark:{name}", f"{verdict}: {tried}")


def _limit(bench: Bench, finding: Finding) -> float:
    """How much more a remedy has to gain: more where inputs are not far from normalized, of first weights, and of a learning rate.

    Less of a rate that is far above the usual ones, or that learned no tiny subset.
    """
    if finding.name == "inputs-not-normalized" and bench.number("first_layer_rms") <= MAX_RMS:
        return MILD
    if finding.name != "lr-outside-usable-range":
        return SLOW if finding.name in OF_START else HARM
    lower = 0 < bench.number("tiny_rate") < bench.number("lr_configured") and not bench.facts.get("tiny_passed")
    return SLOW_IF_UNUSUAL if lower or bench.facts.get("lr_unusually_high") else SLOW


def _untried(bench: Bench, finding: Finding, *, sure: bool) -> None:
    """What is beyond doubt without a trial stays a warning; of a learning rate the range test says whether it is."""
    if finding.name == "lr-outside-usable-range":
        sure = _far_outside(bench)
    elif finding.name == "exploding-gradient" and bench.facts.get("optimizer") in SCALED:
        sure = False
    bench.fact(f"{'harm' if sure else 'remark'}:{finding.name}", "the budget left no time to try a remedy")


def _far_outside(bench: Bench) -> bool:
    """Whether the range test alone shows harm: the loss rose, or stayed where it was while another rate gained much.

    A rate that is too low must be so by a factor of a hundred: a slow start is no fault.
    """
    gain, best = bench.number("lr_gain"), bench.number("lr_best_gain")
    several = bench.number("lr_agree") == bench.number("lr_seeds") > 1
    above = bench.facts.get("lr_side") == "above"
    far_below = bench.number("lr_suggested") >= FAR * bench.number("lr_configured")
    much = MUCH if above and not several else MUCH_IN_ALL
    risen = above and gain < 0 and bool(bench.facts.get("lr_unusually_high"))
    return gain < WORSE or risen or ((above or far_below) and gain < STILL and best > much)


def harm(bench: Bench, own: Result, other: Result) -> float:
    """How much further the remedy took the loss, of what there is to lose from the lower start on; 0 where a seed does not agree."""
    agree = not math.isfinite(own.end) or all(b < a for a, b in zip(own.after, other.after, strict=True))
    return _gain(bench, own, other) if agree else 0.0


def _gain(bench: Bench, own: Result, other: Result) -> float:
    """The same by the mean of the seeds."""
    if not math.isfinite(other.end):
        return 0.0
    if not math.isfinite(own.end):
        return 1.0
    before = min(max(own.before), max(other.before))
    room = max(before, own.end) - min(other.end, own.end)
    floor = min(least_loss(bench), other.end)  # a likelihood has no least value, and falls below 0
    way = abs(before - floor)
    nothing = room <= 0 or own.end - floor <= REACHED * way or own.end - other.end <= LEAST * way
    return 0.0 if nothing else (own.end - other.end) / room


def _loss(value: float) -> str:
    return number(float(f"{value:.3g}")) if math.isfinite(value) else "not finite"
