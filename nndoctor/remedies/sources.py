"""The sources that several remedies name, and the addresses at which sources can be read."""

from __future__ import annotations

import re

CS231N = "CS231n notes, Neural Networks Part 2 and 3"
DLBOOK = "Goodfellow, Bengio and Courville, Deep Learning, 2016"
PLAYBOOK = "Godbole et al., Deep Learning Tuning Playbook, 2023"
RECIPE = "Karpathy, A Recipe for Training Neural Networks, 2019"
YEARNING = "Ng, Machine Learning Yearning"
GLOROT = "Glorot and Bengio, 2010"

URLS = {
    "CS231n notes": "https://cs231n.github.io/neural-networks-3/",
    "Deep Learning, 2016": "https://www.deeplearningbook.org/",
    "Deep Learning Tuning Playbook": "https://github.com/google-research/tuning_playbook",
    "A Recipe for Training": "https://karpathy.github.io/2019/04/25/recipe/",
    "Machine Learning Yearning": "https://info.deeplearning.ai/machine-learning-yearning-book",
    "Glorot and Bengio, 2010": "https://proceedings.mlr.press/v9/glorot10a.html",
    "Glorot, Bordes and Bengio": "https://proceedings.mlr.press/v15/glorot11a.html",
    "Bergstra and Bengio": "https://www.jmlr.org/papers/v13/bergstra12a.html",
    "Srivastava et al., 2014": "https://jmlr.org/papers/v15/srivastava14a.html",
    "PyTorch documentation": "https://pytorch.org/docs/stable/",
    "PyTorch tutorials": "https://pytorch.org/tutorials/",
    "RFC 4180": "https://www.rfc-editor.org/rfc/rfc4180",
}
"""Words of a source, and where it can be read."""

_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def url_of(source: str) -> str:
    """The address of a source; an empty text where none is known.

    >>> url_of("He et al., 2016, arXiv:1512.03385")
    'https://arxiv.org/abs/1512.03385'
    """
    paper = _ARXIV.search(source)
    if paper is not None:
        return f"https://arxiv.org/abs/{paper[1]}"
    return next((url for words, url in URLS.items() if words in source), "")
