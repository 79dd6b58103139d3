"""Lines that say their numbers in an order or by names of their own, put into plain words; one line stays one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from nndoctor.readers.tables.cells import number_or_nan
from nndoctor.readers.text.episodes import episode
from nndoctor.readers.text.evaluations import evaluated
from nndoctor.readers.text.timings import named
from nndoctor.readers.text.toolkits import (
    char_rnn,
    cntk,
    correct,
    embedding_loss,
    flax,
    likelihood,
    loss_after,
    marian,
    of_batch,
    snapshot,
    summary,
    trees_passed,
    visualizer,
)
from nndoctor.readers.vocabulary.names import Kind, meaning_of

METER = re.compile(r"(?<![\w.])[-+]?[\d.]+(?:e[-+]?\d+)?\s+\(\s*([-+]?[\d.]+(?:e[-+]?\d+)?|nan)\)", re.IGNORECASE)
TRAIN = re.compile(r"\bTrain: \[?(\d+)(?:/\d+\])?\s*\[\s*(\d+)/\s*(\d+)\s*(?:\([^)]*\))?\s*\]")
EPOCH = re.compile(r"\bEpoch: ?\[(\d+)\]")
ROUND = re.compile(
    r"\b(?:Test|Val|Valid|Eval|Validation|Test-EMA|Test \(EMA\))\s*: ?(?:\[\d+/\d+\])?\s*\[\s*\d+/\s*\d+\s*\]"
)
SUMMARY = re.compile(r"(?:^|[\s:])\*\s+(?=(?:Acc|Prec|Top|Err|Error)[@-]?\d)", re.IGNORECASE)
SHARES = re.compile(r"\bacc@?\d+\W+[\d.]+", re.IGNORECASE)  # of a part of the set; the summary has those of all
TOTAL = re.compile(r"\b(?:Test|Val|Eval)\w*: Total time")
AFTER = re.compile(
    r"^\s*(?P<name>[A-Za-z][\w ]{0,40}?)\s+(?:at|after|in|for)\s+(?P<kind>epoch|step|iteration|iter)\s*#?(?P<at>\d+)\s*[:=]"
    r"\s*(?P<value>\S+)\s*$",
    re.IGNORECASE,
)  # `Cost after iteration 100: 0.69`
NUMBERED = re.compile(
    r"\b(?P<name>loss|acc|accuracy|error) \[\s*(?P<epoch>\d+),\s*(?P<step>\d+)\](?:\s?\([^)]*\))?\s*(?=[:=])",
    re.IGNORECASE,
)  # `Loss [1, 100](epoch, minibatch): 11.7`
AVERAGED = re.compile(r"\bAveraged stats:")
TREES = re.compile(
    r"^\s*(?P<step>\d+):\s+learn: (?P<learn>-?[\d.]+(?:e[-+]?\d+)?|-?nan)(?:\s+test1?: (?P<test>\S+)(?:\s+best: (?P<best>[-\d.e]+))?)?"
)
DARKNET = re.compile(
    r"^\s*(?P<step>\d+): [-\d.nainf]+, (?P<loss>[-\d.nainf]+) avg(?: loss)?, (?P<lr>[\d.e-]+) rate,", re.IGNORECASE
)
SCORE = re.compile(r"\bScore at iteration (\d+) is (\S+)")  # DL4J's score is the loss
FRAMES = re.compile(r"(?<![\w])loss\[[^\]]*\](?=.*\btot_loss\[)")  # icefall: of one batch, before the mean so far
ONE_EPOCH = re.compile(r"^Epoch 1/1\s*$")
FULL_BAR = re.compile(r"^[\w ]*\|#+\|\s*\((?P<total>\d+)/(?P=total)\)")
OWN_LOSS = re.compile(r"^\s*(?P<name>[A-Za-z]+(?: [A-Za-z]+){0,3}) loss:\s+(?P<value>[-+\d.e]+)\s*$", re.IGNORECASE)
COMMA = re.compile(r"(?:(?<=[\s=:(\[])|^)([-+]?\d+),(\d+)(?![\d.]|,\d)")
POINT = re.compile(r"(?<![\d.,])0\.\d")
RISES = 1.01  # times its first value; a loss of a part of the examples wanders by less
COMMAS = 4  # numbers such as 0,41 that show decimal commas
COCO = re.compile(r"^\s*Average (?P<what>Precision|Recall) .*@\[(?P<of>[^\]]*)\] = (?P<value>-?[\d.]+)\s*$")
VALIDATE = re.compile(r"\bvalidate step:\s*(\d+)\s+loss:\s*(\S+)")  # torchtitan
DECIMAL_POINT = re.compile(r"\d\.\d")
RATE_SET = re.compile(
    r"\b(?:updat|adjust|chang|set|reduc|decreas|lower|decay)\w*\s+(?:the\s+)?(?:learning[ _]rate|lr)\s+(?:of group \d+\s+)?to:?\s+(?=\d)",
    re.IGNORECASE,
)  # `Updating learning rate to 5e-05`
TESSERACT = re.compile(
    r"^\W*At iteration \d+/(?P<at>\d+)/\d+, mean rms=.*?(?:char|BCER) train=(?P<train>[\d.]+)%", re.IGNORECASE
)
TESSERACT_EVAL = re.compile(r"\b(?:Eval Char error rate|BCER eval)=(?P<eval>[\d.]+)")
UNDER_WAY = re.compile(r"\bvalid on '[^']*' subset\W+\d+\s*/\s*\d+\b")  # fairseq's means over a part of the set
ESTIMATOR = re.compile(r"Saving dict for global step (\d+):(.*)")
PAIR = re.compile(r"(?<!\S)(?!global_step\b)([\w/@.-]+) = ([^\s,]+)")


def plain(lines: Iterable[str]) -> Iterator[str]:
    """Each line as the general reader understands it; of an evaluation's lines only the last is kept."""
    held: str | None = None
    epoch, waiting = "", False
    for text in lines:
        line = text
        if "[" in line and (found := EPOCH.search(line)):
            epoch = found[1]
        elif "Train:" in line and (found := TRAIN.search(line)):
            epoch = found[1]
            line = f"{line[: found.start()]}Epoch: [{epoch}][{found[2]}/{found[3]}]{line[found.end() :]}"
        under_way = epoch != "" and ROUND.search(line) is not None
        if waiting and held is not None:
            held = "" if under_way else SHARES.sub("", held) if SUMMARY.search(line) else held
        if waiting and TOTAL.search(line):
            continue
        if held is not None:
            yield held
        held, waiting = _reworded(line, epoch), under_way
    if held is not None:
        yield held


def single_epochs_counted(lines: Iterable[str]) -> Iterator[str]:
    """The lines; those of a `fit` of one epoch in a loop (`Epoch 1/1` again and again) with the epoch's number in the loop."""
    count = 0
    for line in lines:
        if ONE_EPOCH.match(line):
            count += 1
            yield f"Epoch {count}"
        else:
            yield line


def second_bars_named(lines: Iterable[str]) -> Iterator[str]:
    """The lines; of two full bars of an epoch (`Processing |####| (493/493) Loss: 0.3`), the second with another total, that of validation."""
    total = ""
    for line in lines:
        found = FULL_BAR.search(line) if "|#" in line else None
        if found is None:
            total = "" if "poch" in line else total
            yield line
        elif total and found["total"] != total:
            yield f"val {line[found.end() :]}"
        else:
            total = found["total"]
            yield line


def comma_decimals(start: str) -> bool:
    """Whether a text writes its numbers with decimal commas, judged by those that begin with a zero."""
    if not re.search(r"[\s=:(]0,\d", start):
        return False
    commas = sum(1 for found in COMMA.finditer(start) if found[1] == "0")
    return commas >= COMMAS and commas > 4 * len(POINT.findall(start))


def trees_rise(start: str) -> bool:
    """Whether CatBoost's numbers are a score such as the AUC: the best so far is above another, or `learn` rises, as no loss of boosted trees does."""
    found = [match for line in start.split("\n") if "learn: " in line and (match := TREES.match(line))]
    compared = [number_or_nan(match["best"]) - number_or_nan(match["test"]) for match in found if match["best"]]
    if any(compared):
        return sum(compared) > 0
    return len(found) > 1 and number_or_nan(found[-1]["learn"]) > RISES * number_or_nan(found[0]["learn"]) > 0


def with_scores(line: str) -> str:
    """Such a line with its numbers as scores."""
    found = TREES.match(line) if "learn: " in line else None
    if found is None:
        return line
    return f"step {found['step']} train auc {found['learn']}" + (f" test auc {found['test']}" if found["test"] else "")


def with_points(line: str) -> str:
    """A line of such a text with decimal points."""
    return COMMA.sub(r"\1.\2", line)


def _reworded(line: str, epoch: str) -> str:
    if " [" in line and (found := NUMBERED.search(line)):
        line = (
            f"{line[: found.start()]}epoch {found['epoch']} batch {found['step']} {found['name']}{line[found.end() :]}"
        )
    if found := AFTER.match(line):
        return f"{found['kind']} {found['at']} {found['name']}: {found['value']}"
    if epoch and (found := ROUND.search(line) or SUMMARY.search(line)):
        return f"Epoch: [{epoch}] test {_averages(line[found.end() :])}"
    if epoch and (found := AVERAGED.search(line)):
        return f"Epoch: [{epoch}] {_averages(line[found.end() :])}"
    for sign, reworded in REWORDED.items():
        if sign in line and (text := reworded(line)) is not None:
            return text
    line = _with_own_loss(_with_rate(named(line)))
    return _of_a_tool(line) if ": " in line else line


def _with_own_loss(line: str) -> str:
    """A line with a loss of the user's own name, as a pair of that name."""
    found = OWN_LOSS.match(line) if " loss: " in line.lower() else None
    if found is None or meaning_of(f"{found['name']} loss").kind is not Kind.UNKNOWN:
        return line
    return f"{found['name'].replace(' ', '_')}_loss: {found['value']}"


def _with_rate(line: str) -> str:
    """A line that says what the learning rate was set to, with the rate as a pair.

    A scheduler counts the epochs in its own way: what stands before the rate is kept only where it tells a number.
    """
    found = RATE_SET.search(line) if " to" in line else None
    if found is None:
        return line
    before = line[: found.start()]
    return f"{before if DECIMAL_POINT.search(before) else ''}| lr: {line[found.end() :]}"


def _xgboost(line: str) -> str | None:
    """Its first set is the training set, if there is another."""
    if "validation_1-" not in line:
        return None
    return line.replace("validation_0-", "train-").replace("validation_1-", "validation-")


def _coco(line: str) -> str | None:
    """Of the twelve lines of a COCO evaluation the first, the mAP."""
    found = COCO.match(line)
    if found is None:
        return None
    whole = found["what"] == "Precision" and "0.50:0.95" in found["of"] and "all" in found["of"].split()
    return f"val mAP: {found['value']}" if whole else ""


def _deeplearning4j(line: str) -> str | None:
    found = SCORE.search(line)
    return f"step {found[1]} train loss {found[2]}" if found is not None else None


def _tesseract(line: str) -> str | None:
    """The rates of wrong characters; those of wrong words follow them."""
    found = TESSERACT.match(line)
    if found is None:
        return None
    held_out = TESSERACT_EVAL.search(line, found.end())
    validation = f" val cer: {held_out['eval']}%" if held_out else ""
    return f"step {found['at']} train cer: {found['train']}%{validation}"


# By a text that a line of the tool holds.
REWORDED: Mapping[str, Callable[[str], str | None]] = {
    "validation_0-": _xgboost,
    "tot_loss[": lambda line: FRAMES.sub("", line),
    "@[ IoU=": _coco,
    "Score at": _deeplearning4j,
    "At iteration ": _tesseract,
    "' subset": lambda line: "" if UNDER_WAY.search(line) else None,
    "... (": flax,
    " (epoch ": char_rnn,
    "network-snapshot-": snapshot,
    "passed: ": trees_passed,
    "objf": likelihood,
    "Obj(log": likelihood,
    "bjective function": likelihood,
    "| ": summary,
    " total: ": visualizer,
    "orrect": correct,
    " after ": loss_after,
    "Batch": of_batch,
    "Le ": embedding_loss,
    "Ep. ": marian,
    "Epoch[": cntk,
    "Ep": episode,
    "ep": episode,
}


def _averages(text: str) -> str:
    """`0.91 (0.87)` is the last batch and the mean so far: the mean is kept."""
    return METER.sub(r"\1", text)


def _of_a_tool(line: str) -> str:
    if "learn: " in line and (found := TREES.match(line)):
        test = f" test loss {found['test']}" if found["test"] else ""
        return f"step {found['step']} train loss {found['learn']}{test}"
    if "validate step" in line and (found := VALIDATE.search(line)):
        return f"step {found[1]} validation loss {found[2]}"
    if "cur metric" in line:
        return line.replace("cur metric", "eval metric:")
    if " rate," in line and (found := DARKNET.match(line)):
        return f"step {found['step']} train loss {found['loss']} lr {found['lr']}"
    if "global step" in line and (found := ESTIMATOR.search(line)):
        return f"step {found[1]} {evaluated('eval', PAIR.findall(found[2]))}"
    return line
