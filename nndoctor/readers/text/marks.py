"""The epoch and the step that a line of free text is of, taken out of it, and how far its progress bar is."""

from __future__ import annotations

import re

from nndoctor.readers.vocabulary.names import SPLITS

STAMP = re.compile(
    r"^\W{0,3}(?:\d{4}[-/]\d\d[-/]\d\d[ T_]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?|\d\d:\d\d:\d\d(?:[.,]\d+)?)\]?"
    r"|^[IWEF]\d{4} [\d:.]+\s+\d+ \S+\]|^\[[A-Za-z][^\]]{0,40}\d\d:\d\d:\d\d[^\]]{0,40}\]"
)
COUNT = r"(?P<{0}>\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+(?:\.\d+)?)(?:\s*(?:/|of)\s*(?P<{0}_end>\d+))?"
EPOCH = re.compile(
    r"(?<![\w/.-])(?<!per )(?<!best )(?<!for one )(?<!for each )(?<!this )(?:epoch|ep|epoche|epoca|epoque|epoka)(?:\((?P<phase>\w+)\))?['\"]?(?:-(?=\d)|\s*(?:[:=#]|(?:no|num)\.?|number:?)?\s*)\[?['\"]?\s*"
    + COUNT.format("epoch")
    + r"(?![\w%]|\.\S)\]?(?:\s*[\[(]\s*(?P<step>\d+)\s*/\s*\d+(?:\s*\(\s*\d+%\))?\s*[\])])?"
    r"(?:(?:,?\s+|\s*\|\s*)(?P<count>\d+)\s*/\s*\d+(?=\s+[A-Za-z]|\s*[;|]))?",
    re.IGNORECASE,
)
# Behind the step within the epoch.
GLOBAL = re.compile(r"(?<![\w/.-])global[_ ]?step\W{1,3}(?P<step>\d+)\b", re.IGNORECASE)
# ESPnet's `3epoch results:`, and `3-epoch (84/2000): loss 0.5`
BEFORE = re.compile(r"(?<![\w/.-])(?P<epoch>\d+)(?:epoch\b|-epoch\b(?=\s*\())(?:\s*\(\s*(?P<step>\d+)\s*/\s*\d+\s*\))?")
STEP = re.compile(
    r"(?<![\w/.-])(?<!per )(?<!best )(?<!nan )(?<!eval )"
    r"(?:(?:global_|global )?step(?:/total[ _]?steps?)?|iteration|iters?|it(?= ?\d+,? )|n(?:um_)?updates|updates?|batch(?==)|batch i(?=:))(?:\((?P<phase>\w+)\))?['\"]?\s*[:=#]?\s*\[?['\"]?\s*"
    + COUNT.format("step")
    + r"(?![\w%.])\]?",
    re.IGNORECASE,
)
ORDINAL = re.compile(
    r"(?<![\w.,])(?P<at>\d+)(?:st|nd|rd|th)[ -](?P<kind>epoch|step|iteration|update|batch)\b", re.IGNORECASE
)
BATCH = re.compile(
    r"(?<![\w/.-])batch\s*[:=#]?\s*\[?\s*(?P<step>\d+)(?:\s*(?:/|of)\s*\d+)?(?![\w%.])\]?"
    r"|(?<![\w.])(?P<done>\d+)\s*/\s*\d+\s+batches\b|\b\d+-(?P<last>\d+)batch\b",
    re.IGNORECASE,
)  # within an epoch
LEADING = re.compile(
    r"^\s*(?:\[(?P<outer>\d+)/\d+\]\s*\[(?P<inner>\d+)/\d+\]|\[\s*(?P<epoch>\d+),\s*(?P<batch>\d+)\s*\](?=\D)|s:(?P<s>\d+)\s|(?:[=>~*#-]+\s*)?\[(?P<round>\d+)\]:?\s|(?P<head>\d+):?\s+(?=\[[A-Za-z ]*loss\W)|(?P<bare>\d+)\s+(?=[A-Za-z_]+ [-+\d.naif]+\s*$)"
    r"|[\[(]\s*(?P<of>\d+)\s*/\s*\d+\s*[\])]|(?P<first>\d+)/\d+(?!\s+[\[\u2500-\u259f-])[\s,:|]|(?P<row>\d+)\s+(?:\|\s+(?=(?:\w+ )?loss\W)|(?=[A-Za-z_][\w/.-]*=[-+\d.naif]+(?:\s|,|$))))",
    re.IGNORECASE,
)
BEHIND = re.compile(r"\b(?:loss|error|acc|accuracy) (?P<step>\d+)(?::\s*|\s+)(?=[-+]?\d+\.\d)", re.IGNORECASE)
# `Best model at step 0:` says where another line was.
OF_THE_BEST = re.compile(
    r"^\W*(?:the\s+)?best\b[^|,;=\d]*?\b(?:at|in|from|on|of)\s+(?:the\s+)?(?:step|epoch|iteration|iter)\b",
    re.IGNORECASE,
)
PROGRESS = re.compile(r"\s\[\s*(?P<step>\d+)\s*/\s*\d+\s*\]\s*$")  # how far the epoch is, at a line's end
BAR = re.compile(r"^\s*(?:step (?=\d+/\d+ \[))?(?P<done>\d+)/(?P<total>\d+)\s+(?:\[|[\u2500-\u259f]|-)")
COUNT_OF_BAR = re.compile(r"\d+%\|[^|]*\|\s*\d+(?P<total>/\d+)")
PERCENT_BAR = re.compile(r"(?P<done>\d+)%(?:\||\s+\d+/\d+ \[\d\d:\d)")  # of a narrow one only the count is drawn

Marks = dict[str, str]


def marked(text: str) -> tuple[Marks, str]:
    """The marks of a line, its epoch first, and what is left of the text without them."""
    return ({}, text) if "est " in text and OF_THE_BEST.match(text) else _marked(text)


def _marked(text: str) -> tuple[Marks, str]:
    marks: Marks = {}
    text = ORDINAL.sub(r"\g<kind> \g<at>", text)  # `58036th step`
    if "lobal" in text or "LOBAL" in text:
        text = _with_one_step(text)
    for pattern in (EPOCH, STEP):
        found = pattern.search(text)
        if found is None:
            continue
        groups = found.groupdict()
        if groups.get("epoch"):
            marks["epoch"] = groups["epoch"]
        step = groups.get("step") or groups.get("count")
        if step and groups.get("phase") in (None, "train"):
            marks.setdefault("step", step)
        text = f"{text[: found.start()]}{groups.get('phase') or ''}|{text[found.end() :]}"
    if "epoch" not in marks and "epoch" in text:
        text = _epoch_before_its_word(text, marks)
    if "step" not in marks:
        text = _within_epoch(text, marks)
    return _leading(text, marks) if not marks else (marks, text)


def _epoch_before_its_word(text: str, marks: Marks) -> str:
    """Of a line that says `3epoch` the epoch, and the step where it follows."""
    found = BEFORE.search(text)
    if found is None:
        return text
    step = marks.pop("step", found["step"])
    marks["epoch"] = found["epoch"]
    if step:
        marks["step"] = step
    return f"{text[: found.start()]}|{text[found.end() :]}"


def _with_one_step(text: str) -> str:
    """A line that says the step within the epoch and that of the whole run, without the first."""
    whole, first = GLOBAL.search(text), STEP.search(text)
    if whole is None or first is None or first.end() > whole.start():
        return text
    return f"{text[: first.start()]}|{text[first.end() :]}"


def bar_of(text: str) -> tuple[int, int] | None:
    """The done and the total count of a progress bar; None for any other line."""
    if found := BAR.match(text):
        return int(found["done"]), int(found["total"])
    if found := PERCENT_BAR.search(text):
        return int(found["done"]), 100
    return None


def name_of_bar(text: str) -> str:
    """What every drawing of one percentage bar shows: the text before it and its total count; empty for another line."""
    bar = PERCENT_BAR.search(text)
    count = COUNT_OF_BAR.match(text, bar.start()) if bar else None
    return f"{text[: bar.start()].strip()}{count['total']}" if bar and count else ""


def _within_epoch(text: str, marks: Marks) -> str:
    """Of a line that says its epoch, the batch within it; of any the count at its end."""
    if text.rstrip().endswith("]") and (found := PROGRESS.search(text)):
        marks["step"] = found["step"]
        return text[: found.start()]
    if "epoch" in marks and "atch" in text and (found := BATCH.search(text)):
        marks["step"] = found["step"] or found["done"] or found["last"]
        return f"{text[: found.start()]}|{text[found.end() :]}"
    return text


def _leading(text: str, marks: Marks) -> tuple[Marks, str]:
    """The number that begins a line without another mark."""
    if found := BEHIND.search(text):  # `Validation loss 100: 0.5`
        return {"step": found["step"]}, f"{text[: found.start('step')]}{text[found.end() :]}"
    found = LEADING.match(text)
    if found is None:
        return marks, text
    if found["outer"]:
        return {"epoch": found["outer"], "step": found["inner"]}, text[found.end() :]
    if found["epoch"]:  # PyTorch's tutorials: `[1,  2000] loss: 2.173`
        return {"epoch": found["epoch"], "step": found["batch"]}, text[found.end() :]
    marks["step"] = (
        found["s"] or found["round"] or found["head"] or found["bare"] or found["of"] or found["first"] or found["row"]
    )
    text = text[found.end() :]
    return marks, f" {_spelled_out(text)}" if found["s"] or found["bare"] else text


def _spelled_out(text: str) -> str:
    """`tel:10.9` and `val 10.9`: some write the split alone and mean its loss."""
    name, sep, number = re.match(r"\s*(\w*)(\W?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    split = "val" if name == "tel" else name
    return f"{split} loss{sep}{number}" if split in SPLITS else text
