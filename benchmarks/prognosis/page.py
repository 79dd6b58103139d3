"""The figures of the prognosis as Markdown."""

from __future__ import annotations

import timeit
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.prognosis.calibrate import recalls, reported
from benchmarks.prognosis.dataset import Dataset, Table
from benchmarks.prognosis.derive import VARIANTS
from benchmarks.prognosis.figures import Figure, by_change, figure, first_choice
from benchmarks.tables import table
from nndoctor.prognosis.changes import CHANGES
from nndoctor.prognosis.model import Model
from nndoctor.prognosis.outlook import probabilities

HEAD = """# Prognosis

Written by `python -m benchmarks.prognosis --train`. Every run was retrained with single changes; a change helps where it gains
more than 0.1 of the distance from the best constant prediction to the best loss of any retraining. The figures of the first
tables are those of workloads that were left out of the training in turn; those of the testing half are of other workloads,
networks and seeds, which were never trained on.
"""
HEALTHY_LIMIT = 0.5
BATCH = 1000


@dataclass(frozen=True)
class Judged:
    """Logs with what a model says of them: the scores of its heads, and their calibrated probabilities."""

    data: Dataset
    model: Model
    scores: Table
    p: Table

    def rows(self, at: NDArray[np.bool_]) -> Judged:
        """Some of the logs."""
        return Judged(self.data.rows(at), self.model, self.scores[at], self.p[at])

    def helps(self, change: str) -> Table:
        """The probability that a change helps."""
        return self.p[:, self.model.heads.index(f"helps:{change}")]


def judged(data: Dataset, model: Model) -> Judged:
    """Logs that the model has not seen, as it would judge them."""
    scores = model.scores(model.binned(data.x))
    p = [probabilities(model, head, column) for head, column in zip(model.heads, scores.T, strict=True)]
    return Judged(data, model, scores, np.array(p).T)


def page(held: Judged, testing: Dataset, size: int) -> str:
    """All tables: of the logs to train on with scores from workloads left out, and of the testing half."""
    own, test = held.rows(held.data.original), judged(testing, held.model)
    about = (
        f"{len(own.data)} runs of {len(set(own.data.workload))} workloads, {len(held.data)} logs with those derived from them, "
        f"{int(held.model.extra['compared'][1])} retrained networks; {len(held.model.feature)} trees, {size / 1000:.0f} kB. "
        + _speed(held.model, held.data.x[:BATCH])
    )
    parts = [
        HEAD,
        about,
        "## By change, workloads left out",
        _changes(by_change(own.data, own.model.heads, own.p)),
        _choice(own),
        "## By kind of log, workloads left out",
        _kinds(held),
        "## By workload left out",
        _split({w: own.data.workload == w for w in sorted(set(own.data.workload.tolist()))}, own),
        "## Findings, workloads left out",
        _findings(held),
        "## Testing half",
        _changes(by_change(testing, test.model.heads, test.p)),
        _choice(test),
        _findings(test),
    ]
    return "\n\n".join(parts) + "\n"


def _speed(model: Model, x: Table) -> str:
    """The time to score one run, and each of many at once: the fastest of five."""

    def seconds(rows: Table) -> float:
        return min(timeit.repeat(lambda: model.scores(model.binned(rows)), number=1, repeat=5))

    return (
        f"A run is scored in {1000 * seconds(x[:1]):.2f} ms alone, in {1000 * seconds(x) / len(x):.2f} ms among {len(x)} "
        "(goals 5 ms and 0.2 ms), on one core."
    )


def _changes(figures: Iterable[Figure]) -> str:
    rows = [
        (f.change, f.runs, f"{f.helps:.2f}", f"{f.auc:.3f}", f"{f.precision:.3f}", f"{f.error:.3f}") for f in figures
    ]
    return table(("change", "runs", "helps in", "AUC", "average precision", "calibration error"), rows)


def _choice(of: Judged) -> str:
    choice = first_choice(of.data, of.model.heads, of.p)
    helps = of.p[:, [k for k, h in enumerate(of.model.heads) if h.startswith("helps:")]]
    healthy = of.data.healthy
    any_help = float(np.mean(np.max(helps[healthy], axis=1) >= HEALTHY_LIMIT))
    return (
        f"First choice within 0.05 of the best change in {choice.close:.2f} of the {choice.runs} runs in which something helps; it captures "
        f"{choice.value:.2f} of the gain that the best change brings. {any_help:.3f} of {int(healthy.sum())} healthy runs have a change at {HEALTHY_LIMIT} or more."
    )


def _kinds(held: Judged) -> str:
    data = held.data
    kinds: dict[str, NDArray[np.bool_]] = {
        f"{per} logs": data.original & (data.per == per) for per in ("epoch", "step")
    }
    kinds |= {k: np.array([k in kind for kind in data.kind.tolist()]) & (data.share == 1) for k in VARIANTS}
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 0.95)):
        kinds[f"first {100 * low:.0f}–{100 * high:.0f} % of the rows"] = (data.share >= low) & (data.share < high)
    return _split(kinds, held)


def _split(parts: dict[str, NDArray[np.bool_]], held: Judged) -> str:
    rows = []
    for name, at in parts.items():
        part = held.rows(at)
        found = [figure(c.name, part.data.gains[:, k], part.helps(c.name)) for k, c in enumerate(CHANGES)]
        rows.append([name, len(part.data), *("–" if f is None else f"{f.auc:.2f}" for f in found)])
    return "AUC of whether each change helps.\n\n" + table(("", "logs", *(c.name for c in CHANGES)), rows)


def _findings(held: Judged) -> str:
    limit, heads = held.model.extra["limit"], held.model.heads
    own = held.rows(held.data.original)
    recall, derived = (recalls(part.data, heads, part.scores, limit) for part in (own, held))
    flagged = np.any([reported(heads, own.scores, limit, name) for name in recall], axis=0)
    healthy = own.data.healthy
    rows = [(name, f"{recall[name]:.2f}", f"{derived[name]:.2f}") for name in recall]
    return (
        f"Healthy runs flagged by a learned finding: {float(np.mean(flagged[healthy])):.3f} of {int(healthy.sum())}.\n\n"
        + table(("finding", "recall, logs as they are", "recall, derived logs as well"), rows)
    )
