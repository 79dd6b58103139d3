"""Families of sequence tasks: characters of the standard library's sources, tags for tokens, reckoning, forecasts."""

from __future__ import annotations

import inspect
import string
from importlib import import_module

import numpy as np
import torch

from benchmarks.zoo.workloads.data import Array, Data, flipped, split

LENGTH, HELD = 12, 96
LETTERS = " " + string.ascii_lowercase + "_.(),"
MODULES = [
    "ast",
    "bisect",
    "calendar",
    "cmd",
    "code",
    "codecs",
    "collections",
    "configparser",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fileinput",
    "fnmatch",
    "fractions",
    "functools",
    "getopt",
    "gettext",
    "glob",
    "gzip",
    "heapq",
    "imaplib",
    "json.decoder",
    "linecache",
    "locale",
    "mailbox",
    "mimetypes",
    "ntpath",
    "numbers",
    "optparse",
    "pathlib",
    "pdb",
    "pickle",
    "platform",
    "plistlib",
    "poplib",
    "posixpath",
    "pprint",
    "profile",
    "pstats",
    "pydoc",
    "queue",
    "random",
    "sched",
    "selectors",
    "shelve",
    "shlex",
    "smtplib",
    "socket",
    "socketserver",
    "sre_compile",
    "ssl",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "tarfile",
    "threading",
    "timeit",
    "tokenize",
    "trace",
    "traceback",
    "types",
    "typing",
    "unittest.case",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "warnings",
    "weakref",
    "webbrowser",
    "xml.dom.minidom",
    "zipfile",
]
POOL, VALIDATION = 1400, 128


def _sources(task: np.random.Generator) -> list[str]:
    """The lines of three modules that can be read."""
    lines: list[str] = []
    for name in task.permutation(MODULES):
        try:
            text = inspect.getsource(import_module(name))
        except (ImportError, OSError, TypeError):  # not every Python ships every module's source
            continue
        lines += [line.strip().lower() for line in text.splitlines() if line.strip()]
        if len(lines) > 1200:
            break
    return lines


def _windows(lines: list[str], count: int, rng: np.random.Generator) -> Array:
    place = {letter: i for i, letter in enumerate(LETTERS)}
    codes = np.array([place.get(letter, len(LETTERS)) for letter in " ".join(lines)])
    starts = rng.integers(0, len(codes) - LENGTH - 1, count)
    return np.asarray(codes[starts[:, None] + np.arange(LENGTH + 1)])


def _language(number: int, seed: int, _noise: float) -> Data:
    """The next character; validation comes from lines of its own."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    lines = _sources(task)
    held = [i // 10 % 5 == 0 for i in range(len(lines))]
    train = _windows([x for x, h in zip(lines, held, strict=True) if not h], POOL, rng)
    validation = _windows([x for x, h in zip(lines, held, strict=True) if h], HELD, rng)
    x, x_held = (torch.from_numpy(w[:, :-1].copy()) for w in (train, validation))
    y, y_held = (torch.from_numpy(w[:, 1:].copy()) for w in (train, validation))
    size = len(LETTERS) + 1
    return Data("classes", x, y, x_held, y_held, size, vocabulary=size, per_token=True)


def _tags(number: int, seed: int, noise: float) -> Data:
    """A tag for every token, decided by the token and its neighbour on the left."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    symbols, tags, length = int(task.integers(4, 11)), int(task.integers(3, 7)), int(task.integers(6, 13))
    table = task.integers(0, tags, (symbols, symbols))
    x = rng.integers(0, symbols, (POOL + VALIDATION, length))
    y = table[np.roll(x, 1, 1), x]
    y[:, 0] = table[0, x[:, 0]]
    return split(
        "classes", (x, flipped(y, noise, tags, rng)), rng, VALIDATION, outputs=tags, vocabulary=symbols, per_token=True
    )


def _counted(number: int, seed: int, noise: float) -> Data:
    """How often one symbol comes in a sequence, modulo a small number or up to it."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    symbols, length, most = int(task.integers(2, 5)), int(task.integers(5, 11)), int(task.integers(2, 5))
    x = rng.integers(0, symbols, (POOL + VALIDATION, length))
    count = (x == 0).sum(1)
    y = count % 2 if task.random() < 0.25 else np.minimum(count, most)
    outputs = int(y.max()) + 1
    return split("classes", (x, flipped(y, noise, outputs, rng)), rng, VALIDATION, outputs=outputs, vocabulary=symbols)


def _sums(number: int, seed: int, noise: float) -> Data:
    """Sums, or differences, modulo n, to be learnt from a part of the table."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    n, sign = int(task.integers(5, 14)), int(task.choice([-1, 1]))
    x = rng.integers(0, n, (POOL + VALIDATION, 2))
    y = (x[:, 0] + sign * x[:, 1]) % n
    return split("classes", (x, flipped(y, noise, n, rng)), rng, VALIDATION, outputs=n, vocabulary=n)


def _forecast(number: int, seed: int, noise: float) -> Data:
    """The next value of an autoregressive series under a season."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    past, period, pull = int(task.integers(6, 13)), task.uniform(4, 12), task.uniform(0.5, 0.95)
    own = float(task.choice([0.1, 0.3]))
    phase = rng.uniform(0, 2 * np.pi, POOL + VALIDATION)
    values, state = [], rng.normal(size=len(phase))
    for t in range(past + 1):
        state = pull * state + own * rng.normal(size=len(phase))
        values.append(state + np.sin(2 * np.pi * t / period + phase))
    series = np.stack(values, 1)
    y = series[:, -1:] + noise * rng.normal(size=(len(phase), 1))
    return split("regression", (series[:, :-1, None], y), rng, VALIDATION, outputs=1, floor=own**2 + noise**2)


def _waves(number: int, seed: int, noise: float) -> Data:
    """Which of several frequencies a noisy signal has."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    kinds_count, length, blur = int(task.integers(2, 6)), int(task.integers(8, 15)), task.uniform(0.2, 0.8)
    kinds = rng.integers(0, kinds_count, POOL + VALIDATION)
    t = np.arange(length) * (0.4 + 0.45 * kinds[:, None]) + rng.uniform(0, 2 * np.pi, (len(kinds), 1))
    x = np.sin(t) + blur * rng.normal(size=t.shape)
    y = flipped(kinds, noise, kinds_count, rng)
    return split("classes", (x[:, :, None], y), rng, VALIDATION, outputs=kinds_count)


WORKLOADS = {
    "source-text": _language,
    "tags": _tags,
    "counting": _counted,
    "modular-sums": _sums,
    "forecast": _forecast,
    "frequencies": _waves,
}
