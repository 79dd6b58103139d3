"""Further settings of training runs as they are in practice: tasks of the families, with the rates that the pilot finds for them.

The batches of the training split are on the brink of a fault twice as often as practice; these runs follow the recipes of the
published halves instead. Their tasks are none that the batches draw.
"""

from __future__ import annotations

from benchmarks.zoo.settings import ADAPTIVE, Setting

PRACTICE = (
    Setting("network-teacher", "mlp", 32, 2, "relu", 1280, 32, 800, (0.15, 0.043, 0.013, 0.0029, 0.029), 0.2, task=60),
    Setting(
        "network-teacher", "residual", 24, 2, "relu", 1280, 32, 800, (0.073, 0.0097, 0.013, 0.009, 0.13), 0.2, task=61
    ),
    Setting("network-teacher", "mlp", 32, 1, "tanh", 1280, 32, 800, (0.42, 0.063, 0.013, 0.0089, 0.13), 0, task=62),
    Setting("polynomial", "mlp", 32, 2, "tanh", 1280, 32, 960, (0.019, 0.0059, 0.0048, 0.0033, 0.048), 0.1, task=63),
    Setting("additive", "mlp", 32, 2, "relu", 1280, 32, 960, (0.06, 0.02, 0.044, 0.0065, 0.021), 0.2, task=65),
    Setting("additive", "residual", 24, 2, "gelu", 1280, 32, 960, (0.013, 0.0025, 0.028, 0.013, 0.07), 0.1, task=66),
    Setting("clusters", "mlp", 24, 1, "relu", 1280, 32, 480, (0.18, 0.025, 0.0089, 0.0061, 0.089), 0, task=67),
    Setting("clusters", "mlp", 32, 2, "tanh", 1280, 32, 480, (0.27, 0.025, 0.0089, 0.0061, 0.067), 0, task=68),
    Setting("clusters", "mlp", 16, 0, "relu", 1280, 32, 480, (0.18, 0.04, 0.027, 0.013, 0.27), 0, task=69),
    Setting("ruled-classes", "mlp", 48, 2, "relu", 1280, 32, 960, (0.18, 0.004, 0.002, 0.002, 0.13), 0, task=70),
    Setting("ruled-classes", "residual", 24, 2, "relu", 1280, 32, 800, (0.12, 0.016, 0.024, 0.0054, 0.4), 0, task=71),
    Setting("ruled-classes", "mlp_bn", 32, 2, "relu", 1280, 32, 640, (0.42, 0.16, 0.04, 0.013, 0.19), 0, task=72),
    Setting("moons", "mlp", 24, 2, "relu", 1024, 32, 640, (0.27, 0.025, 0.019, 0.013, 0.19), 0, task=73),
    Setting("rings", "mlp", 24, 2, "tanh", 1024, 32, 800, (0.27, 0.04, 0.0089, 0.0061, 0.13), 0, task=74),
    Setting("rings", "mlp", 32, 3, "relu", 1024, 32, 800, (0.12, 0.016, 0.0099, 0.0042, 0.13), 0, task=75),
    Setting("bits", "mlp", 32, 2, "relu", 1024, 32, 640, (0.27, 0.04, 0.013, 0.0061, 0.089), 0, task=76),
    Setting(
        "spread",
        "mlp",
        24,
        2,
        "tanh",
        1280,
        32,
        960,
        (0.0014, 0.0014, 0.0014, 0.00094, 0.02),
        0,
        optimizers=ADAPTIVE,
        task=77,
    ),
    Setting("bars", "cnn", 5, 2, "relu", 960, 24, 360, (0.075, 0.01, 0.013, 0.0067, 0.089), 0, task=78),
    Setting("masks", "fcn", 6, 2, "relu", 640, 16, 320, (1.5, 0.1, 0.0089, 0.0061, 0.13), 0, task=79),
    Setting("centres", "cnn", 6, 2, "relu", 960, 24, 360, (0.022, 0.011, 0.013, 0.0029, 0.029), 0, task=80),
    Setting("frequencies", "gru", 16, 1, "tanh", 960, 24, 400, (0.65, 0.04, 0.0089, 0.0061, 0.089), 0, task=81),
    Setting("counting", "rnn", 16, 1, "tanh", 960, 24, 400, (0.27, 0.063, 0.019, 0.0061, 0.089), 0, task=82),
    Setting("tags", "transformer", 16, 1, "gelu", 960, 24, 400, (0.65, 0.16, 0.013, 0.0061, 0.089), 0, task=83),
    Setting("source-text", "gru", 24, 1, "tanh", 1200, 16, 600, (2.4, 0.25, 0.013, 0.0089, 0.13), 0, task=84),
    Setting("forecast", "mlp", 24, 2, "relu", 960, 24, 600, (0.018, 0.0056, 0.0063, 0.003, 0.03), 0, task=85),
    Setting("forecast", "gru", 16, 1, "tanh", 960, 24, 400, (0.13, 0.045, 0.015, 0.0067, 0.099), 0, task=86),
)
