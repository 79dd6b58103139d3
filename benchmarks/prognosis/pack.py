"""Puts the trained model, its calibration and what it compares a run with into one file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from benchmarks.prognosis.calibrate import gain_quantiles, limits, platt
from benchmarks.prognosis.dataset import Dataset, Table
from nndoctor.prognosis.model import FILE, Model, from_arrays
from nndoctor.prognosis.outlook import GAIN_UNIT, NEAR_UNIT, UNKNOWN
from nndoctor.prognosis.scope import out_of_range_counts

MAX_BYTES = 1_000_000
SEEN = 0.995  # share of the held-out runs that must count as comparable


def packed(data: Dataset, model: Model, scores: Table, retrainings: int) -> Model:
    """The model with everything that its file holds; `scores` are those of the held-out workloads."""
    every = np.ones(len(data), dtype=bool)
    own = data.original
    at, quantiles = gain_quantiles(data.rows(own), model.heads, scores[own])
    helps = [k for k, head in enumerate(model.heads) if head.startswith("helps:")]
    bins = model.binned(data.x)
    calibration = platt(data, model.heads, scores, every)
    extra = {
        "calibration": calibration,
        "limit": limits(data, model.heads, scores, calibration),
        "gain_at": at,
        "gain_quantiles": quantiles,
        "typical": np.median(bins[own & data.healthy], axis=0).astype(np.uint8),
        "near_scores": np.clip(np.round(np.nan_to_num(scores[own][:, helps]) * NEAR_UNIT), -127, 127).astype(np.int8),
        "near_gains": np.where(np.isnan(data.gains[own]), UNKNOWN, np.round(data.gains[own] * GAIN_UNIT)).astype(
            np.int8
        ),
        "known_low": np.nan_to_num(np.nanmin(data.x, axis=0), nan=-np.inf).astype(np.float32),
        "known_high": np.nan_to_num(np.nanmax(data.x, axis=0), nan=np.inf).astype(np.float32),
        "compared": np.array([len(set(data.run)), retrainings]),
    }
    extra["most_beyond"] = _most_beyond(data, model)
    return from_arrays(_arrays(model) | extra)


def _most_beyond(data: Dataset, model: Model) -> np.ndarray:
    """How many measurements of a run may lie outside the range of all other workloads."""
    counts = []
    for workload in sorted(set(data.workload)):
        mine = data.workload == workload
        low, high = (f(data.x[~mine], axis=0) for f in (np.nanmin, np.nanmax))
        rest = from_arrays(_arrays(model) | {"known_low": low, "known_high": high})
        counts.append(out_of_range_counts(data.x[mine], rest))
    return np.array(max(round(float(np.quantile(np.concatenate(counts), SEEN))), 3))


def _arrays(model: Model) -> dict[str, np.ndarray]:
    own = {name: getattr(model, name) for name in ("edges", "feature", "threshold", "leaf", "start", "base")}
    return own | {"names": np.array(model.names), "heads": np.array(model.heads)}


def save(model: Model, path: Path = FILE) -> int:
    """Writes the model's file, the same bytes for the same model, and gives its size."""
    held = io.BytesIO()
    np.savez_compressed(held, allow_pickle=False, **(_arrays(model) | dict(model.extra)))
    size = len(held.getvalue())
    if size > MAX_BYTES:
        raise ValueError(f"the model has {size} bytes, at most {MAX_BYTES} may be shipped")
    path.write_bytes(held.getvalue())
    return size
