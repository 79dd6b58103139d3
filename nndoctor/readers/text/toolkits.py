"""Lines of toolkits with a notation of their own (Marian, CNTK, Flax examples, rlpyt, older CatBoost), put into plain words."""

from __future__ import annotations

import re

MARIAN = re.compile(r"\bEp\. (?P<epoch>\d+)(?:\.\d+)? : Up\. (?P<step>\d+) : (?P<rest>.*)")
EVALUATED = re.compile(r"(?P<name>[\w-]+) : (?P<value>[-+\d.e]+|-?nan)\b")
COST = re.compile(r"\bCost (?P<value>[-+\d.e]+|-?nan)\b")
NORM = re.compile(r"\bgNorm (?P<value>[\d.e+-]+|-?nan)\b")
RATE = re.compile(r"\bL\.r\. (?P<value>[\d.e+-]+)")
# Marian's validation metrics, in plain words; its cross-entropy is a sum over a sentence, which no training cost can be compared with.
METRICS = {"perplexity": "perplexity", "ce-mean-words": "loss", "translation": "bleu", "bleu": "bleu"}
CNTK = re.compile(
    r"\bEpoch\[\s*(?P<epoch>\d+) of \d+\](?:-Minibatch\[\s*\d+\s*-\s*(?P<step>\d+)[^\]]*\])?:\s*(?P<set>\[\w+[^\]]*\])?(?P<rest>.*)"
)
OF_SAMPLES = re.compile(r"[\w.]+ = (?P<value>[-+\d.e]+|-?nan)(?P<percent>%?) \\?\* \d+")
PER_SAMPLE = re.compile(
    r"(?P<kind>TrainLoss|EvalErr|EvalErrorPrediction|AvgLearningRate)(?:\[0\])?PerSample =\s+(?P<value>[-+\d.e]+|-?nan)"
)
KINDS = {"TrainLoss": "{} loss", "EvalErr": "{} error", "EvalErrorPrediction": "{} error", "AvgLearningRate": "lr"}


def marian(line: str) -> str | None:
    """`Ep. 1 : Up. 2000 : Sen. 965,843 : Cost 5.2` and `[valid] Ep. 1 : Up. 2000 : perplexity : 187.4 : new best`."""
    found = MARIAN.search(line)
    if found is None:
        return None
    at = f"epoch {found['epoch']} step {found['step']}"
    if "[valid]" in line[: found.start()]:
        held = EVALUATED.match(found["rest"])
        metric = METRICS.get(held["name"]) if held else None
        return f"{at} val {metric} {held['value']}" if held and metric else ""
    cost = COST.search(found["rest"])
    if cost is None:
        return None
    others = [(name, pattern.search(found["rest"])) for name, pattern in (("grad_norm", NORM), ("lr", RATE))]
    return f"{at} train loss {cost['value']}" + "".join(f" {name} {match['value']}" for name, match in others if match)


def cntk(line: str) -> str | None:
    """`Epoch[ 2 of 9]-Minibatch[ 1- 500]: ce = 1.5 * 500; errs = 30% * 500`: the first is the criterion, the second its error."""
    found = CNTK.search(line)
    if found is None:
        return None
    split = "val" if "alid" in (found["set"] or "") else "train"
    pairs = [(KINDS[match["kind"]].format(split), match["value"]) for match in PER_SAMPLE.finditer(found["rest"])]
    if not pairs:
        kinds = (f"{split} loss", f"{split} error")
        values = (match["value"] + match["percent"] for match in OF_SAMPLES.finditer(found["rest"]))
        pairs = list(zip(kinds, values, strict=False))
    step = f" batch {found['step']}" if found["step"] else ""
    return f"epoch {found['epoch']}{step} " + " ".join(f"{name} {value}" for name, value in pairs) if pairs else None


FLAX = re.compile(r"\b(?P<kind>Epoch|Step)\.\.\. \(\s*(?P<at>\d+)(?:\s*/\s*\d+)?\s*\|")
CHAR_RNN = re.compile(r"^\s*(?P<step>\d+)/\d+ \(epoch \d+\),? (?=(?:train_)?loss)")
SNAPSHOT = re.compile(r"\bnetwork-snapshot-(?P<step>\d+)\b.*?(?=\b(?:fid|kid|is|pr)\d+k)")
TREES_PASSED = re.compile(
    r"^\s*(?P<step>\d+):\s+learn:? (?P<learn>[-\d.e]*\d|-?nan)(?:\s+test:? (?P<test>[-\d.e]*\d|-?nan))?.*?passed: "
)
SUMMARY = re.compile(r"\|\s+(?P<name>[A-Za-z][\w/]*)/(?P<of>Average|Std|Median|Min|Max)\s{2,}(?P<value>\S+)\s*$")

VISUALIZER = re.compile(r"^\W*epoch: \S+ iters?: .*[\])] total: (?=[-\d.n]+\s*$)", re.IGNORECASE)
CORRECT = re.compile(r"\bcorrect\s*[:=]\s*(?=\d+(?:\.\d+)?\s?%)", re.IGNORECASE)
LOSS_AFTER = re.compile(
    r"\b(?P<name>loss|cost|error) after (?P<at>(?:\w+=\d+[ ,]+)*(?:epoch|iteration|step)=\d+):\s+(?P<value>\S+)\s*$",
    re.IGNORECASE,
)
OF_BATCH = re.compile(r"^\s*Batch\s*=\s*(?=\d+\s*$)")


# VSE++, SCAN and their kin count the steps of the run as `Eit` and call the loss `Le`.
EMBEDDING_LOSS = re.compile(r"(?<=\s)Le (?=[-+]?(?:\d|nan\b|inf\b))")


def embedding_loss(line: str) -> str | None:
    """`Epoch: [5][100/2266] Eit 12400  lr 0.0002  Le 25.6 (25.7)`: the loss is under its own name."""
    return EMBEDDING_LOSS.sub("loss ", line) if "Epoch: [" in line or "Test: [" in line else None


def loss_after(line: str) -> str | None:
    """`Loss after num_examples_seen=900 epoch=9: 5.9`, as a tutorial on RNNs prints it."""
    found = LOSS_AFTER.search(line)
    return f"{found['at']} {found['name']}: {found['value']}" if found else None


def flax(line: str) -> str:
    """`Epoch... (39/116 | Loss: 0.19, Learning Rate: 1e-5)`, as the Flax examples of Hugging Face print it."""
    return FLAX.sub(r"\g<kind> \g<at> |", line)


def char_rnn(line: str) -> str | None:
    """`168/446 (epoch 0), train_loss = 2.3`: the count is that of the whole run."""
    found = CHAR_RNN.match(line)
    return f"step {found['step']} {line[found.end() :]}" if found else None


def snapshot(line: str) -> str | None:
    """StyleGAN's `network-snapshot-000204  time 4m 32s  fid50k_full 148.4`: its number is of thousands of images."""
    found = SNAPSHOT.search(line)
    return f"step {int(found['step'])} {line[found.end() :]}" if found else None


def trees_passed(line: str) -> str | None:
    """The lines of the first versions of CatBoost: `3: learn 0.5035passed: 17.4 sec total: 4m 4s`."""
    found = TREES_PASSED.match(line)
    if found is None:
        return None
    return f"step {found['step']} train loss {found['learn']}" + (
        f" test loss {found['test']}" if found["test"] else ""
    )


def summary(line: str) -> str | None:
    """Of the summary that rlpyt prints of each number, the average: `| value_loss/Average 0.4`."""
    found = SUMMARY.search(line)
    if found is None:
        return None
    return f"{found['name'].rpartition('/')[2]}: {found['value']}" if found["of"] == "Average" else ""


def visualizer(line: str) -> str | None:
    """`[epoch: 2/200, iter: 25/489] total: 1.5`: the only number is the whole loss."""
    return line.replace(" total: ", " loss: ") if VISUALIZER.match(line) else None


def correct(line: str) -> str | None:
    """`Correct = 97.06%` is an accuracy."""
    return CORRECT.sub("accuracy: ", line) if CORRECT.search(line) else None


def of_batch(line: str) -> str | None:
    """`Batch = 300` on a line of its own counts the steps."""
    return OF_BATCH.sub("step ", line) if OF_BATCH.match(line) else None


# Kaldi, k2 and EESEN maximize it.
LIKELIHOOD = re.compile(
    r"(?:\bobjf\b|\bObj\(log\[\w+\]\)|\bobjective function(?: for '[\w-]+')?(?: for minibatches \d+-(?P<step>\d+))?)\s*(?:=|:|\bis)\s*-(?P<value>\d[\d.]*(?:e[-+]?\d+)?)",
    re.IGNORECASE,
)
SEQUENCES = re.compile(r"\bAfter (?P<step>\d+) sequences\b[^:]*:")


def likelihood(line: str) -> str | None:
    """`average objf: -0.68 over 6400 frames`: a log-likelihood is the loss with its sign turned."""
    found = LIKELIHOOD.search(line)
    if found is None:
        return None
    step = f"step {found['step']} " if found["step"] else ""
    return SEQUENCES.sub(r"step \g<step>:", LIKELIHOOD.sub(rf"{step}loss: \g<value>", line))
