"""The pairs of a name and a number in one line of free text, and the epoch or step that the line is of."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from functools import lru_cache

from nndoctor.readers.text.drawings import before_its_bar, last_drawing
from nndoctor.readers.text.marks import STAMP, bar_of, marked, name_of_bar
from nndoctor.readers.text.windows import without_windows
from nndoctor.readers.vocabulary.names import SPLITS, WITHOUT_SPLIT, meaning_of, tidy
from nndoctor.readers.vocabulary.spellings import NOT_LOSS, OF_EXAMPLES

MAX_LINE = 4000  # characters of a line that are read
MAX_KEY = 5  # words
UNMEANT = frozenset(
    [
        "best",
        "min",
        "max",
        "std",
        "previous",
        "prev",
        "target",
        "threshold",
        "patience",
        "improved",
        "lowest",
        "highest",
        "smallest",
        "largest",
        "minimum",
    ]
)
SIDES = frozenset({"g", "d", "gen", "disc", "generator", "discriminator"})  # of a GAN
HEAD_LOSS = re.compile(
    r"(?<!\S)(?:mtp|head|aux|exit|task|output|out|branch|scale|level|stage|layer|decoder)_\d+ loss$", re.IGNORECASE
)  # Megatron's `mtp_1 loss` next to `lm loss`: of one head among several
# "down to 0.1" names nothing.
FILLERS = frozenset(["is", "was", "reached", "now", "so", "far"])  # between a name and its number: `loss so far is 0.1`
LEADS_ON = frozenset(["to", "from", "at", "of", "in", "for", "than", "by", "and", "on", "with", "the"])

TOTAL = re.compile(r"\b(loss)(?:es)?\s*:\s*total\s*[:=]", re.IGNORECASE)  # `loss: total: 3.1, xy: 0.4`
# A whole loss of its own name: next to it `det loss` is a part.
WHOLE = re.compile(r"\b(?:all|total|sum)[ _]loss\b|\bloss[ _](?:all|total|sum)\b", re.IGNORECASE)
WIDE = re.compile(r"\s{3,}")
NUMBER = re.compile(
    r"(?P<sep>\s*['\"]?\s*[:=]\s*|\s+|\s*\|\s*(?=[-+\d.]+(?:e[-+]?\d+)?\s*\|\s*$))(?P<open>\[?)(?:[\"']|tensor\(|np\.\w+\()*"
    r"(?P<number>[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d++\.?+\d*+|\.\d++)(?:e[-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)(?:\.0)?)"
    r"(?:f0)?(?!(?!dB\b)\w|\.\d|:\d\d)(?:/(?P<of>\d+)(?![\w.]))?(?P<percent>\s?%)?",
    re.IGNORECASE,
)
CUTS = re.compile(r"[,;|\t{}\[\]=:#<>]|\s[-*]+\s|\s{2,}")
ANY_SPLIT = "|".join(sorted(SPLITS, key=len, reverse=True))
# A split by itself, or as in `val_stats: {`.
SPLIT_WORD = re.compile(rf"(?<![\w./-])(?:{ANY_SPLIT})(?:(?![\w./])|(?=_\w+['\"]?\s*[:=]\s*[{{(]))", re.IGNORECASE)
BARE_SPLIT = re.compile(rf"\s(?:{ANY_SPLIT})\s+\d*\.\d", re.IGNORECASE)
ACCURACY = re.compile(r"\bacc(?:uracy)?\b", re.IGNORECASE)
COUNTED = frozenset({"sample_diversity"})  # `modes: 7/8` counts modes, and is no share
# A number with a point that is no time.
SHARE_OR_LOSS = re.compile(r"[\d,]*\.\d\S*+(?!\s*(?:s|secs?|seconds?|ms|mins?|minutes?|h|hours?)\b)", re.IGNORECASE)
OTHER = re.compile(r"\s*/\s*(?P<number>[-+]?\d+\.\d*(?:e[-+]?\d+)?)(?P<percent>\s?%)?", re.IGNORECASE)


@dataclass(slots=True)
class Line:
    """What one line says: `marks` are its epoch and step, `pairs` its named numbers as they are spelled.

    `bar` is the done and total count where the line is a progress bar, `drawn` the name that it shares with its other drawings; `varies` says that the names depend on more than
    the line's shape, `shares` that what is taken for the losses of several splits are numbers from 0 to 1.
    """

    marks: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, object] = field(default_factory=dict)
    bar: tuple[int, int] | None = None
    drawn: str = ""
    varies: bool = False
    shares: bool = False


def parse(text: str, under: str = "") -> Line:
    """The pairs in a line; of a line that was drawn over and over the last drawing. `under` is its heading's split."""
    text = TOTAL.sub(r"total_\1: ", text)
    text = without_windows(STAMP.sub(" ", WIDE.sub("  ", before_its_bar(last_drawing(text)[:MAX_LINE])), count=1))
    line = Line(bar=bar_of(text))
    line.varies = line.bar is not None
    if line.varies:
        text, line.drawn = text.lstrip().removeprefix("step "), name_of_bar(text)
    line.marks, rest = marked(text)
    if line.bar is not None and line.bar[0] < line.bar[1]:
        return line  # under way: its numbers are not yet the epoch's
    scoped = _pair_up(line, rest, under)
    if scoped:
        _unscoped(line, scoped)
    _name_bare_splits(line, rest)
    return line


def _pair_up(line: Line, rest: str, scope: str) -> dict[str, str]:
    """Add the names and numbers to the line; returns the names that took the split in front of them, with their original names."""
    end = 0
    scoped: dict[str, str] = {}
    in_parts = WHOLE.search(rest) is not None
    for found in NUMBER.finditer(rest):
        before = rest[end : found.start()]
        scope = _scope(before, scope)
        known, key = _key_or_part(CUTS.split(before.rstrip())[-1], in_parts=in_parts)
        goes_on = key.lower() in SPLITS and _leaves_out_its_metric(line, rest[found.start("number") :])
        if found["sep"].isspace() and not known and not goes_on:
            continue  # the text may go on to a name further right
        end = found.end()
        if not key:
            continue
        if "/" in key and (pair := _both(key, found, rest)):
            line.pairs |= pair
            continue
        meaning = meaning_of(key)
        if scope and known and not meaning.split and meaning.metric not in WITHOUT_SPLIT and meaning.is_metric:
            scoped[f"{scope} {key}"] = key
            key = f"{scope} {key}"
        line.pairs.setdefault(key, _value(found, rest, meaning.metric))
    return scoped


def _scope(before: str, scope: str) -> str:
    """The split of a name without one, by the text between it and the number before: the last split named there, but for that of another metric."""
    ends = list(SPLIT_WORD.finditer(before))
    if not ends:
        return scope
    phrase, *later = CUTS.split(before[ends[-1].start() :])
    return scope if later and known(phrase.strip()) else ends[-1].group().lower()


def _unscoped(line: Line, scoped: dict[str, str]) -> None:
    """A name that was given the split before it had none, if the same name with its split follows, or if it is a loss after other pairs.

    `loss val 0.5, acc 0.9, acc val 0.8`; `train err 0.1, test err 0.2, loss 0.4`.
    """
    metric_of = {name: _split_and_metric(name) for name in line.pairs}
    own = {what for name, what in metric_of.items() if name not in scoped}
    twice = {name for name in scoped if _split_and_metric(name) in own}
    losses = [name for name, (_, metric) in metric_of.items() if metric == "loss"]
    if len(losses) == 1 and len({split for split, _ in own if split}) > 1:
        twice |= scoped.keys() & losses
    if twice:
        line.pairs = {scoped[name] if name in twice else name: value for name, value in line.pairs.items()}


def _split_and_metric(name: str) -> tuple[str, str]:
    what = meaning_of(name)
    return what.split, what.metric


def _both(key: str, found: re.Match[str], text: str) -> dict[str, object]:
    """`loss/acc: 0.41/0.92`, `loss (train/val): 0.41 / 0.52`, `train/val loss 0.41/0.52`: two names and two numbers; else nothing."""
    words = key.replace(" / ", "/").split()
    at = next((k for k, word in enumerate(words) if "/" in word), 0)
    names = [" ".join([*words[:at], side, *words[at + 1 :]]) for side in words[at].split("/")]
    other = OTHER.match(text, found.end("percent" if found["percent"] else "number"))
    if other is None or len(names) != 2 or "." not in found["number"] or not all(map(known, names)):
        return {}
    return dict(zip(names, (_value(found, text), other["number"] + ((other["percent"] and "%") or "")), strict=True))


def _name_bare_splits(line: Line, text: str) -> None:
    """`train 0.41 valid 0.52` are losses; next to a loss, or after the word accuracy, shares are accuracies."""
    bare = {name: value for name, value in line.pairs.items() if name.lower() in SPLITS}
    if bare and (metric := _metric_before(line.pairs, next(iter(bare)))):  # `loss train: 0.4, val: 0.5`
        _append(metric, bare, line)
        return
    if len({SPLITS[name.lower()] for name in bare}) < 2 or _are_counts(bare):
        return
    line.varies = True
    losses = any(meaning_of(name).metric == "loss" for name in line.pairs)
    shares = all(str(v).endswith("%") or _within(v, 1.0) for v in bare.values())
    if shares and (losses or ACCURACY.search(text[: text.find(next(iter(bare)))])):
        _append("accuracy", bare, line)
    elif not losses:
        line.shares = shares
        _append("loss", bare, line)


def _are_counts(bare: dict[str, object]) -> bool:
    """Whether whole numbers are beside the splits: how many examples there are of each."""
    return all(str(value).isdigit() for value in bare.values())


def _append(metric: str, bare: Container[str], line: Line) -> None:
    """Name the numbers of bare splits by their metric."""
    line.pairs = {f"{name} {metric}" if name in bare else name: value for name, value in line.pairs.items()}


def _metric_before(pairs: dict[str, object], bare: str) -> str:
    """The metric of the pair before a bare split, where that pair ends with a split too; else the empty text."""
    names = list(pairs)
    before = names[names.index(bare) - 1].split() if names.index(bare) else []
    return " ".join(before[:-1]) if len(before) > 1 and before[-1].lower() in SPLITS else ""


def _leaves_out_its_metric(line: Line, value: str) -> bool:
    """Whether a split with a number means a loss or a share.

    It follows one with its metric, or a lone loss, or begins a row of them: `LOSS train 0.4 valid 0.5`, `loss 0.4 (val 0.5)`,
    `epoch 3 train 0.4 valid 0.5`.
    """
    words = next(reversed(line.pairs), "").lower().split()
    if len(words) > 1:
        return words[-1] in SPLITS
    begins = not words and bool(line.marks) and BARE_SPLIT.search(value) is not None
    return (begins or words == ["loss"] or not SPLITS.keys().isdisjoint(words)) and SHARE_OR_LOSS.match(
        value
    ) is not None


def _within(value: object, most: float) -> bool:
    try:
        return 0 <= float(str(value)) <= most
    except ValueError:
        return False


def known(key: str) -> bool:
    """Whether a name means a loss, a metric, a rate or one of their parts."""
    return meaning_of(key).is_metric


@lru_cache(maxsize=4096)
def _key(text: str) -> tuple[bool, str]:
    """Whether the name that ends the text is understood, and the name: the longest that is, else all of it."""
    words = _last_words(text)
    if not words or not words[-1][:1].isalpha() or words[-1].lower() in LEADS_ON or words[-1].endswith(".py"):
        return False, ""
    whole = " ".join(words)
    if UNMEANT & set(tidy(whole).split("_")) and not known(whole):
        return False, ""
    if HEAD_LOSS.search(whole) or OF_EXAMPLES.match(tidy(whole)):
        return True, "_".join(words[-2:])
    sided = len(words) > 2 and words[0].lower() in SIDES
    for k in range(1 if sided else len(words)):  # `G GAN loss` is no loss of the whole
        name = " ".join(words[k:])
        if NOT_LOSS.search(tidy(name)):
            break
        if known(name):
            return True, name
    return False, whole


def _key_or_part(text: str, *, in_parts: bool) -> tuple[bool, str]:
    """The name that ends the text; in a line of parts a loss has the word in front of it: `det_loss` of `det loss`."""
    known, key = _key(text)
    if not in_parts or key.lower() != "loss":
        return known, key
    words = _last_words(text)[-2:]
    return known, "_".join(words) if all(word.isalpha() for word in words) else key


def _last_words(text: str) -> list[str]:
    """The last words that may be a name: those after the last number, without a verb at the end."""
    words = [w for w in re.split(r"[\s()]+", text.replace("'s ", " ").strip(" \"'`.-*")) if w][-MAX_KEY:]
    while words and words[-1].lower() in FILLERS:
        words.pop()
    numbers = [
        k
        for k, word in enumerate(words[:-1])
        if word[:1].isdigit() and word.removesuffix("%").replace(".", "").replace("/", "").isdigit()
    ]
    return words[numbers[-1] + 1 :] if numbers else words


def _value(found: re.Match[str], text: str, metric: str = "") -> object:
    """A number as it is spelled, with its percent sign; the mean of a list, the share of `9824/10000`, but the count of `modes: 7/8`."""
    if found["open"]:
        inside = text[found.start("open") : text.find("]", found.start("open")) + 1]
        numbers = [float(n) for n in re.findall(r"(?<![\w.])[-+]?\d+\.?\d*(?:e[-+]?\d+)?(?=[,\s)\]])", inside)]
        if len(numbers) > 1:
            return sum(numbers) / len(numbers)
    of = found["of"]
    if of and float(of) and "." not in found["number"] and metric not in COUNTED:
        return float(found["number"].replace(",", "")) / float(of)
    return f"{found['number']}%" if found["percent"] else found["number"]
