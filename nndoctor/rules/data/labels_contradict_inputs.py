"""The labels have nothing to do with the inputs, or equal inputs have different labels."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import FAINT, MEASURED, SEVERAL_SIGNS, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent, plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_CONTRADICTING = 0.05  # share of examples whose equal has another label
MOST = 0.5  # of the examples: inputs that are nearly all alike make both sets the same
TURNED = 3  # what is known of a map that was not turned: how its image was, and both places
MAX_NOISE = 0.3  # of the target's mean square that is drawn for it alone; noisy labels have less
MIN_SIGNAL = 0.15  # score of the neighbours in the validation set from which similar inputs have similar labels
SIGNAL_APART = 0.1  # by which that score exceeds the one in the training set
MAX_DEVIATIONS = 2.0  # standard deviations by which held-out labels may fit the outputs better than others by chance
MIN_MEMORIZED = 5.0  # the same, from which labels that were trained on are memorized
FEW, MANY = 3, 300  # numbers of an input, with which so many examples have neighbors that are truly near
MAX_SCORE = 0.1  # score of the neighbours in the training set that is no signal


def check(run: Run) -> Iterator[Symptom]:
    """Ask each example's neighbours for its label, in training and in validation."""
    found = (
        _drawn(run)
        or _constant(run)
        or _interleaved(run)
        or _turned(run)
        or _misplaced(run)
        or _prompts(run)
        or _moved(run)
        or _drawn_again(run)
        or _contradicting(run)
        or _of_other_examples(run)
        or _without_signal(run)
    )
    if found is not None:
        yield found


def _drawn(run: Run) -> Symptom | None:
    """Targets that the step draws at random, apart from its inputs."""
    noise = run.number("target_noise")
    if noise <= MAX_NOISE:
        return None
    text = f"{percent(min(noise, 1.0))} of the target's mean square comes from random numbers that the step draws for the target alone: nothing in the model's input tells them"
    return Symptom(text, MEASURED, {"noise": noise}, place="train_step")


def _constant(run: Run) -> Symptom | None:
    """Targets that are one number, or the same sequence or map in every example."""
    value, examples = run.known("constant_target"), int(run.number("same_targets"))
    if value is None and examples:
        text = f"all {examples} examples looked at have the same target: a model that ignores its inputs has the least loss"
        return Symptom(text, MEASURED, {"examples": examples}, place="train_data")
    if value is None and run.fact("zeros_have_no_loss"):
        text = "the loss is 0 where the model gives 0 for every input, and above it for other outputs: nothing in it asks for more than zeros (a term for the data, for initial or boundary values is missing?)"
        return Symptom(text, MEASURED, {"loss_of_zeros": 0.0}, place="step")
    if value is None:
        return None
    text = f"every target that the loss is given is {number(value)}: a model that ignores its inputs has the least loss"
    return Symptom(text, MEASURED, {"target": value}, place="loss")


def _interleaved(run: Run) -> Symptom | None:
    """Images whose pixels were torn apart on their way from (height, width, 3) to (3, height, width)."""
    groups = run.numbers("channels_in_groups")
    if len(groups) == 2:
        text = f"the images have their colors interleaved: neighbors within groups of three are correlated by {_rounded(groups[0])}, those across their borders by {_rounded(groups[1])}: exchange dimensions with permute, not view or reshape"
        return Symptom(text, MEASURED, {"within": groups[0], "across": groups[1]}, place="train_data")
    found = run.numbers("channels_interleaved")
    if len(found) != 2:
        return None
    near, far = found
    text = f"the images have their colors interleaved: values three places apart are correlated by {_rounded(far)}, neighbors by {_rounded(near)}: exchange dimensions with permute, not view or reshape"
    return Symptom(text, MEASURED, {"neighbors": near, "three_apart": far}, place="train_data")


def _rounded(value: float) -> str:
    return number(float(f"{value:.2g}"))


def _turned(run: Run) -> Symptom | None:
    """Maps that augmentation leaves as they are while it turns their image."""
    found = run.texts("turned_alone")
    if len(found) != TURNED:
        return None
    how, part, other = found
    text = f"augmentation {how} part {part} of an example and leaves part {other}, a map of the same form, as it is: transform both together"
    return Symptom(text, MEASURED, {"part": int(part), "map": int(other)}, place="train_data")


def _misplaced(run: Run) -> Symptom | None:
    """Masks that fit their images in another position."""
    explained = run.numbers("masks_explain")
    if len(explained) != 2:
        return None
    told, own = explained
    text = f"the masks fit their images when they are {run.fact('masks_turned')}: they then explain {percent(told)} of the variance of the pixels, as they are {percent(own)}; image and mask are read in different orders, or only one of them is transformed"
    return Symptom(text, MEASURED, {"explained_turned": told, "explained": own}, place="train_data")


def _prompts(run: Run) -> Symptom | None:
    """Labels that keep the prompts and leave out the answers, or the ends."""
    end = run.known("end_left_out")
    if end is not None:
        text = f"token {end:.0f}, with which the texts end, is left out of the labels (-100) in all of them, as padding is: the model never learns where to stop; give padding a token of its own"
        return Symptom(text, MEASURED, {"token": end}, place="train_data")
    share = run.number("answers_left_out")
    if not share:
        return None
    text = f"in {percent(share)} of the texts the labels keep the beginning and leave out the end (-100): the prompt is learned and the answer is not; leave out the prompt"
    return Symptom(text, MEASURED, {"share": share}, place="train_data")


def _moved(run: Run) -> Symptom | None:
    """Tags that belong to the tokens at other places."""
    offset = int(run.number("tag_offset"))
    if not offset:
        return None
    told, own = run.number("tag_signal"), run.number("tag_signal_of_own")
    where = f"{plural(abs(offset), 'place')} {'later' if offset > 0 else 'earlier'}"
    text = f"the labels follow from the token {where} (score {percent(told)}), and not from the token at their own place ({percent(own)}): they are moved, as by a special token that was put in front"
    return Symptom(text, MEASURED, {"offset": offset, "signal": told, "signal_of_own": own}, place="train_data")


def _drawn_again(run: Run) -> Symptom | None:
    """Log-probabilities of a policy that are not those of the actions taken."""
    if run.fact("policy_drawn_again") is not True:
        return None
    text = "the log-probabilities in the loss are those of a second sample of the policy, not of the first one: where that is the action that was taken, rewards do not belong to what is made more likely"
    return Symptom(text, MEASURED, {}, place="train_step")


def _contradicting(run: Run) -> Symptom | None:
    """Equal inputs with different labels; a validation set that is the training set repeats all of them."""
    against = run.number("contradicting_share")
    same_sets = run.fact("validation_is_train") and against < MOST
    if against <= MAX_CONTRADICTING or same_sets:
        return None
    text = f"{percent(against)} of the examples have the same input as another example but a different label"
    return Symptom(text, TYPICAL, {"share": against}, place="train_data")


def _of_other_examples(run: Run) -> Symptom | None:
    """Labels of a language model that are not the tokens of their own input."""
    there = run.known("labels_found_in_input")
    if there is None:
        return None
    text = f"at most {percent(there)} of the labels are tokens of the same input, at any shift: a causal language model takes labels that are its input_ids, and these belong to other examples"
    return Symptom(text, MEASURED, {"found_in_input": there}, place="train_data")


def _without_signal(run: Run) -> Symptom | None:
    """Training labels that neighbours do not predict: where those of validation are, where the model only memorizes, or alone."""
    train, validation = run.known("label_signal"), run.known("label_signal_validation")
    if train is None and _memorized(run):
        roles = "the inputs do not tell which of the two is which"
        return _only_memorized(run, roles if run.fact("heldout_roles") else "the inputs do not tell the labels", {})
    if train is None or train >= MAX_SCORE:
        return None
    if validation is not None and validation > max(MIN_SIGNAL, train + SIGNAL_APART):
        text = f"in the training set, similar inputs do not have similar labels (score {percent(max(train, 0))}), while in the validation set they do ({percent(validation)}): the training labels are shuffled, or augmentation destroys the signal"
        evidence = {"signal_in_training": train, "signal_in_validation": validation}
        return Symptom(text, MEASURED, evidence, place="train_data", severity=Severity.ERROR)
    if train >= MAX_SCORE / 2:
        return None
    if _memorized(run):
        first = "similar inputs do not have similar labels"
        return _only_memorized(run, first, {"signal_in_training": train})
    features = int(run.number("label_features"))
    if features and (validation is None or validation < MAX_SCORE / 2):
        text = f"the nearest neighbors of an example, in inputs of {plural(features, 'number')}, tell nothing of its label (score {percent(max(train, 0))}): the labels do not belong to the inputs, or do not depend on them"
        return Symptom(text, SEVERAL_SIGNS, {"signal_in_training": train}, place="train_data")
    if validation is not None:
        return None
    text = "similar inputs do not have similar labels: the task is hard, or the labels do not belong to the inputs"
    return Symptom(text, FAINT, {"signal_in_training": train}, place="train_data", severity=Severity.INFO)


def _only_memorized(run: Run, first: str, known: dict[str, float]) -> Symptom:
    steps, own, others = (run.number(f"heldout_{name}") for name in ("steps", "own_score", "score"))
    part = run.fact("heldout_part")
    labels = "labels" if part is None else f"labels ({part})"
    deviations = number(float(f"{own:.2g}"))
    labels = "roles" if run.fact("heldout_roles") else labels
    text = f"{first}: trained for {steps:.0f} steps on a part of the examples, the model fits their {labels} {deviations} standard deviations better than chance, and those of the other examples no better than chance"
    evidence = known | {"deviations_from_chance": others, "deviations_of_own_examples": own}
    return Symptom(text, SEVERAL_SIGNS, evidence, place="train_data")


def _memorized(run: Run) -> bool:
    """Whether a training on a part of the examples succeeded without helping on the others, with real inputs."""
    score, own = run.known("heldout_score"), run.known("heldout_own_score")
    structured = run.fact("inputs_structured") is True
    return structured and score is not None and score < MAX_DEVIATIONS and own is not None and own > MIN_MEMORIZED


RULE = Rule(
    code="NN610",
    name="labels-contradict-inputs",
    severity=Severity.WARNING,
    title="labels do not match the inputs",
    needs={
        "fact:contradicting_share|fact:heldout_score|fact:target_noise|fact:constant_target|fact:same_targets|fact:tag_offset|fact:channels_interleaved|fact:channels_in_groups|fact:zeros_have_no_loss|fact:policy_drawn_again|fact:end_left_out": 1
    },
    check=check,
    why="If the inputs were shuffled without their labels, only the class frequencies can be learned. The network can still memorize the training set, and only validation shows the problem.",
    how=f"Equal inputs with different labels for more than {percent(MAX_CONTRADICTING)} of the examples; or a nearest-neighbor prediction of the training labels scores below {percent(MAX_SCORE)} (accuracy above chance, or variance explained) while that of the validation labels scores clearly higher; or neighbors predict nothing of at least {MANY} examples whose inputs are at most {FEW} numbers; or neighbors predict nothing or cannot be asked, the features of the inputs depend on each other, and the model, trained on a part of the examples, memorizes that part but fits the others no better than chance; or every target of a regression is the same number, or all targets are the same sequence or map; or values of images resemble those three places on more than their neighbors; or the labels of texts keep the beginning and leave out the end, or the one token that ends them; or the tags of tokens follow from the tokens one or two places away and not from their own; or masks explain the pixels of their images when they are turned or transposed, and far less as they are; or augmentation turns an image and not the map that belongs to it; or fewer than half of the labels of a causal language model are tokens of its input; or more than {percent(MAX_NOISE)} of the mean square of what outputs are compared with changes where random numbers are drawn again on which the outputs do not depend; or every log-probability that the loss of a policy takes is that of a later sample than the first of its distribution.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
        Reference("Braiek and Khomh, TheDeepChecker, TOSEM 2023", "https://arxiv.org/abs/2204.00694"),
    ),
    remedies=("check-labels",),
    sick=(
        Run.drawn({"contradicting_share": 0.2}),
        Run.drawn({"target_noise": 0.7}),
        Run.drawn({"contradicting_share": 0.0, "constant_target": 0.0}),
        Run.drawn({"zeros_have_no_loss": True}),
        Run.drawn({"policy_drawn_again": True}),
        Run.drawn({"end_left_out": 2}),
        Run.drawn({"contradicting_share": 0.0, "same_targets": 300}),
        Run.drawn({"contradicting_share": 0.0, "channels_interleaved": (0.1, 0.9)}),
        Run.drawn({"contradicting_share": 0.0, "channels_in_groups": (0.5, 0.3)}),
        Run.drawn({"contradicting_share": 0.0, "tag_offset": 1, "tag_signal": 0.7, "tag_signal_of_own": 0.01}),
        Run.drawn({"contradicting_share": 0.0, "answers_left_out": 1.0}),
        Run.drawn({"contradicting_share": 0.0, "turned_alone": ("flips left and right of", "1", "2")}),
        Run.drawn({"contradicting_share": 0.0, "masks_turned": "transposed", "masks_explain": (0.7, 0.1)}),
        Run.drawn({"contradicting_share": 0.0, "labels_found_in_input": 0.06}),
        Run.drawn({"contradicting_share": 0.0, "label_signal": 0.01, "label_signal_validation": 0.9}),
        Run.drawn({"contradicting_share": 0.0, "label_signal": 0.001, "label_features": 2}),
        Run.drawn(
            {
                "contradicting_share": 0.0,
                "label_signal": 0.01,
                "inputs_structured": True,
                "heldout_score": 0.2,
                "heldout_own_score": 12.0,
                "heldout_steps": 300,
            }
        ),
        Run.drawn(
            {
                "contradicting_share": 0.0,
                "inputs_structured": True,
                "heldout_score": 0.4,
                "heldout_own_score": 9.0,
                "heldout_steps": 300,
            }
        ),
    ),
    healthy=(
        Run.drawn({"contradicting_share": 0.0, "label_signal": 0.7, "label_features": 2}),
        Run.drawn({"contradicting_share": 0.0, "label_signal": 0.85, "label_signal_validation": 0.87}),
    ),
)
