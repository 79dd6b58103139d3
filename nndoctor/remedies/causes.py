"""The catalogue of causes: every name that a finding may give to one, by what it concerns, and so by what to change."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, tuple[str, ...]] = {
    "learning-rate": (
        *("learning rate too high", "learning rate too low", "learning rate zero, or far too low", "the learning rate"),
        *("learning rate too high or too many steps", "learning rate still in warmup", "learning rates unbalanced"),
        *("router learns too fast", "the discriminator learns too slowly", "value function learns too slowly"),
        *("codes learn too slowly",),
    ),
    "training-loop": (
        *("Adagrad's accumulated gradients", "gradients not reset between steps", "optimizer never steps"),
        *("parameters without gradient", "weights not trained", "batch too small", "too many epochs"),
        *("too many epochs on one batch", "too many steps on narrow data", "training has only begun"),
        *("optimizer stopped stepping",),
    ),
    "checkpoint": (
        *("data position not restored", "learning-rate schedule not restored", "optimizer state not restored"),
        *("wrong or incomplete checkpoint loaded",),
    ),
    "initialization": (
        *("bad initialization or dead units", "the bias", "the initialization", "weights too large at the start"),
        *(
            "weights too small at the start",
            "the output's bias",
            "the output's weights too large",
            "router starts uneven",
        ),
    ),
    "inputs": (
        *(
            "NaN in the data",
            "inputs not normalized",
            "the inputs",
            "the inputs do not vary",
            "a bad batch or a change of data",
        ),
        *(
            "views too different or too alike",
            "real and generated samples mixed up",
            "another format than in pretraining",
        ),
        *("observations do not contain the necessary information",),
    ),
    "labels": (
        *(
            "NaN in the data, or labels that are all masked",
            "features unrelated to the labels",
            "labels without signal",
        ),
        *("inputs that say nothing about the labels", "labels that contradict each other", "no labels to learn from"),
        *("labels unrelated to the inputs, or a network that is too small", "targets not scaled"),
        *("no labels loaded, or labels in another format",),
    ),
    "model": (
        *("dead or zero weights", "dead units", "saturated units", "sigmoids in a chain", "vanishing gradient"),
        *("depth without shortcuts or normalization", "too small a network, or a wrong loss", "trees that cannot grow"),
        *("decoder too strong", "generator too small, or noise input unused", "discriminator too strong"),
        *("one trivial answer for every example", "normalization statistics lag behind", "regularization too strong"),
        *("dropout or augmentation in training only", "codes far from the encoder's outputs"),
        *("encoder collapsed to one point",),
    ),
    "loss": (
        *(
            "another reduction",
            "summed or divided over ranks",
            "summed over accumulated batches",
            "generator's loss saturates",
        ),
        *("class weights counted twice, or an objective that is not the metric", "the loss does not measure the task"),
        *("missing or weak load balancing", "no warm-up of the KL term", "weight of the KL term too high"),
        *("nothing keeps the embeddings apart", "discriminator too certain", "a generator that is that good"),
        *("generator exploits one weakness of the discriminator",),
    ),
    "numbers": (
        *("NaN from half precision, printed as 0", "numbers outside the loss's range", "overflow in half precision"),
        *("an operation outside its range", "gradients not finite"),
    ),
    "validation": (
        *("the metric is computed wrongly", "training loss averaged over the epoch", "validation set too small"),
        *("validation data prepared differently", "validation easier, or leaked from training"),
        *("the same evaluation logged again",),
    ),
    "reward": (
        *(
            "KL coefficient too small",
            "no KL penalty",
            "no entropy bonus",
            "policy updates too large",
            "limit too short",
        ),
        *(
            "prompts too easy",
            "prompts too hard",
            "reward changed or was exploited",
            "reward hacking",
            "rewards not scaled",
        ),
        *("rewards or discount too large", "rewards too rare", "samples too alike", "too little exploration"),
        *("target network updated too fast", "value estimates diverged", "the reward favors length"),
        *("the reward function always returns the highest reward", "the end token is never learned"),
        *("the reward function always returns the lowest reward", "reward scaled or clipped to almost nothing"),
        *("reward lost between the environment and the update",),
    ),
    "preferences": (
        *("chosen and rejected answers too alike", "nothing keeps the chosen answers likely", "pairs too easy"),
    ),
    "machine": (
        *("a GPU or a link failed", "a slow or hot GPU, or a slow link", "another process on that node", "the machine"),
        *("data loading", "heavy preprocessing", "slow storage", "too few workers", "uneven work", "batches grow"),
        *("a cache or a list grows", "graphs are kept", "something grows in every step"),
        *("the data loader or the disk of one rank stalled", "ranks called different collectives"),
        *("different initial weights", "gradients are not averaged", "one process changed its weights alone"),
    ),
}
CONCERNS = {name: concern for concern, names in CAUSES.items() for name in names}
"""By the name of a cause what it concerns."""
