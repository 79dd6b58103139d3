"""Hostile logs, end to end: names of files, columns and settings are shown by every command, and obeyed by none."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import FALL

pytestmark = pytest.mark.skipif(os.name != "posix", reason="names of files that Windows refuses")
FORMATS = ("terminal", "concise", "json", "jsonl", "github", "gitlab", "junit", "sarif", "markdown")
EVIL = (
    "::error::forged.csv",
    "##[error]forged.csv",
    "a\n::error file=x::forged.csv",
    "\x1b[31m\x1b]0;title\x07red.csv",
    "]]><failure message='forged'>.csv",
    "<script>alert(1)</script>.csv",
    "| forged | error |.csv",
    "```\n### forged\n.csv",
    "\u202egpj.csv",
    '","severity":"critical","x":".csv',
)
RISEN = [v + 0.02 + 0.04 * max(k - 10, 0) for k, v in enumerate(FALL)]  # overtraining


def written(folder, names=EVIL):
    """A log with a warning under each of the names, its own columns as hostile."""
    folder.mkdir()
    header = 'epoch,loss,val_loss,"::error::col ##[error] \x1b[31m </testcase> | x |"\n'
    rows = "".join(f"{k},{t:.5g},{v:.5g},{k * 0.7 % 3:.4g}\n" for k, (t, v) in enumerate(zip(FALL, RISEN, strict=True)))
    for name in names:
        (folder / name.replace("/", "_")).write_text(header + rows, encoding="utf-8")


def obeyed(text: str) -> list[str]:
    """What a terminal or a CI runner would obey."""
    odd = [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t\u2060"]
    commands = [line for line in re.split(r"[\r\n]", text) if line.lstrip().startswith("::")]
    return [*odd, *commands, *re.findall(r"##\[", text)]


@pytest.mark.parametrize("medium", FORMATS)
def test_no_log_forges_a_finding(nndoctor, logs, medium):
    """As many findings as with honest names, in every format, and nothing to obey but our own annotations."""
    written(logs / "evil")
    written(logs / "plain", [f"{k}.csv" for k in range(len(EVIL))])
    printed = {
        folder: nndoctor("diagnose", folder, "-f", medium, "--isolated", "--full") for folder in ("evil", "plain")
    }
    assert {done.code for done in printed.values()} == {0}
    counts = {folder: counted(medium, done.out) for folder, done in printed.items()}
    assert counts["evil"] == counts["plain"] > 0
    message = printed["evil"]
    if medium == "github":
        assert [
            line for line in obeyed(message.out) if not line.startswith(("::warning file=", "::notice title=nndoctor"))
        ] == []
    else:
        assert obeyed(message.out) == []
    assert obeyed(message.err) == []


def counted(medium: str, text: str) -> int:
    """The findings that a consumer of the format sees."""
    if medium == "markdown":
        assert "### forged" not in text.replace("```\n### forged", "")
        assert "<script" not in text
    count = COUNTS.get(medium)
    return len(re.findall(r"NN103 (?:warning )?overtraining", text)) if count is None else count(text)


def junit_cases(text: str) -> int:
    cases = ET.fromstring(text).iter("testcase")  # noqa: S314 - our own output
    return sum(len(case) > 0 and case[0].tag in ("failure", "system-out", "error") for case in cases)


COUNTS = {
    "json": lambda text: sum(len(run["findings"]) for run in json.loads(text)["runs"]),
    "jsonl": lambda text: sum(len(json.loads(line)["findings"]) for line in text.splitlines()),
    "gitlab": lambda text: len({issue["fingerprint"] for issue in json.loads(text)}),
    "sarif": lambda text: len(json.loads(text)["runs"][0]["results"]),
    "junit": junit_cases,
    "github": lambda text: len(re.findall(r"^::(?:error|warning|notice) ", text, re.MULTILINE)),
    "markdown": lambda text: sum(bool(re.match(r"\| .* \| (❌|⚠️|ℹ️)", line)) for line in text.splitlines()),
}


@pytest.mark.parametrize("medium", ["terminal", "json", "markdown"])
def test_no_name_is_followed_in_a_comparison(nndoctor, logs, medium):
    """Names of sides, columns and settings."""
    written(logs / "evil")
    done = nndoctor("compare", *sorted(str(p) for p in (logs / "evil").iterdir()), "-f", medium)
    assert done.code == 0
    assert obeyed(done.out) == obeyed(done.err) == []
    assert medium != "markdown" or "<script" not in done.out


@pytest.mark.parametrize("medium", FORMATS)
def test_no_name_is_followed_in_a_sweep(nndoctor, logs, medium):
    """Names of trials and of settings."""
    header = 'val_loss,lr,"::error::forged ##[error]","\x1b[31mred","</testcase><b>|"\n'
    rows = "".join(f"{2 - 0.2 * k},{10.0 ** (k - 8)},{k},{k % 3},{k % 2}\n" for k in range(9))
    (logs / "::error::trials.csv").write_text(header + rows, encoding="utf-8")
    done = nndoctor("sweep", "::error::trials.csv", "-f", medium)
    assert done.code == 0, done.err
    if medium == "github":
        assert all(line.startswith(("::warning file=", "::notice file=")) for line in obeyed(done.out))
    else:
        assert obeyed(done.out) == []
    assert obeyed(done.err) == []
    if medium in ("json", "gitlab", "sarif"):
        json.loads(done.out)
    if medium == "junit":
        ET.fromstring(done.out)  # noqa: S314 - our own output


@pytest.mark.parametrize("command", ["report", "plot", "convert", "watch", "baseline", "settings"])
def test_no_other_command_follows_a_name(nndoctor, logs, command):
    """What each says of a hostile file, on either stream."""
    written(logs / "evil", ["::error::\x1b[31mforged.csv"])
    log = "evil/::error::\x1b[31mforged.csv"
    words = {
        "report": [log, "-o", "r.html"],
        "plot": [log, "-o", "p.svg"],
        "convert": [log, "-o", "c.csv"],
        "watch": [log, "--once"],
        "baseline": ["save", log, "-o", "b.json"],
        "settings": [log],
    }[command]
    done = nndoctor(command, *words)
    assert done.code == 0, done.err
    assert obeyed(done.out) == obeyed(done.err) == []
