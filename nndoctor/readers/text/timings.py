"""Times and memory that tools print with a unit or under a bare name, put under names that say what they are."""

from __future__ import annotations

import re

METERS = re.compile(
    r"\bTime\s+(?P<whole>\d+\.\d+)\s*\(\s*\d+\.\d+\)\s+Data\s+(?P<wait>\d+\.\d+)\s*\(\s*\d+\.\d+\)"
)  # PyTorch's ImageNet example: of the last batch, and the mean so far
MILLISECONDS = re.compile(r"(?P<before>(?:iter|step)\b.*[,|]\s*)(?:time|dt):? (?P<whole>\d+\.?\d*) ?ms\b")
SECONDS = re.compile(r"\b(?P<pair>(?:iter|step|batch|data|data_load)_time[:=] ?\d+\.?\d*) ?s(?:ec)?\b")
# `step 20: loss = 0.41 (0.3 sec/step)`, `iter 20, loss=0.41 (1.3s)`
OF_STEP = re.compile(r"\b(?:step|iter)\w*\W+\d+\b.*\bloss\b[^()]*\((?P<whole>\d+\.\d+) ?(?:s|sec(?:/step)?)\)\s*$")
MAX_ROW = 1000  # characters of a line that ends with such a time
MEMORY = re.compile(
    r"\b(?:max[ _]mem(?:ory)?:\s*(?P<peak>\d+\.?\d*)\b(?:\s?(?:GiB|MiB|GB|MB)\b)?"
    r"|memory:\s*(?P<size>\d+\.?\d*)\s?(?:GiB|MiB|GB|MB)\b)(?:\([\d.]+%\))?"
)

SPEED = re.compile(
    r"(?<![\w./:=])(?<![:=] )(?P<speed>\d[\d,]*\.?\d*) ?(?P<of>tok|token|sample|example|image|img|sequence)s?/s(?:ec)?(?![\w/])",
    re.IGNORECASE,
)  # `31000 tokens/s`


def named(line: str) -> str:
    """The line with the name of each time and of the memory.

    >>> named("iter 10: loss 2.1, time 212.2ms, mfu 1.2%")
    'iter 10: loss 2.1, step_time_ms: 212.2, mfu 1.2%'
    """
    if "Data" in line and (found := METERS.search(line)):
        times = f"step_time: {found['whole']} data_time: {found['wait']}"
        return f"{line[: found.start()]}{times}{line[found.end() :]}"
    if "ms" in line and (found := MILLISECONDS.search(line)):
        line = f"{line[: found.start()]}{found['before']}step_time_ms: {found['whole']}{line[found.end() :]}"
    if ")" in line[-3:] and len(line) < MAX_ROW and (found := OF_STEP.search(line)):
        line = f"{line[: found.start('whole') - 1]}step_time: {found['whole']}"
    if "_time" in line:
        line = SECONDS.sub(r"\g<pair>", line)
    if "/s" in line:
        line = SPEED.sub(_speed, line)
    if "mem" in line and (found := MEMORY.search(line)):
        line = f"{line[: found.start()]}memory: {found['peak'] or found['size']}{line[found.end() :]}"
    return line


def _speed(found: re.Match[str]) -> str:
    return f"{'tokens' if found['of'].lower().startswith('tok') else 'samples'}/s: {found['speed']}"
