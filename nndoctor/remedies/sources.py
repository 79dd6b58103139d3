"""The sources that several remedies name."""

from __future__ import annotations

CS231N = "CS231n notes, Neural Networks Part 2 and 3"
DLBOOK = "Goodfellow, Bengio and Courville, Deep Learning, 2016"
PLAYBOOK = "Godbole et al., Deep Learning Tuning Playbook, 2023"
RECIPE = "Karpathy, A Recipe for Training Neural Networks, 2019"
YEARNING = "Ng, Machine Learning Yearning"
GLOROT = "Glorot and Bengio, 2010"
