"""The workloads with nets that can learn them, and a rate for every optimizer at which they do."""

from __future__ import annotations

from dataclasses import dataclass

ADAPTIVE = ("adam", "adamw", "rmsprop", "adagrad")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad")


@dataclass(frozen=True, slots=True)
class Setting:
    """A net on a workload, with the budget at which it converges; rates: SGD, momentum, Adam, RMSprop, Adagrad."""

    workload: str
    net: str
    width: int
    depth: int
    activation: str
    train_size: int
    batch_size: int
    steps: int
    rates: tuple[float, float, float, float, float]
    data_noise: float = 0.0
    optimizers: tuple[str, ...] = OPTIMIZERS
    task: int = 0  # of a family of tasks

    def rate(self, optimizer: str) -> float:
        """The rate that suits this net under `optimizer`."""
        place = {"sgd": 0, "momentum": 1, "nesterov": 1, "adam": 2, "adamw": 2, "rmsprop": 3, "adagrad": 4}[optimizer]
        return self.rates[place]

    @property
    def cheap(self) -> bool:
        """Whether a run with all its retrainings takes a few seconds, on data of some size."""
        return self.dense and 300 < self.steps <= 600

    @property
    def dense(self) -> bool:
        """Whether training is cheap."""
        return self.net in {"mlp", "residual"}


TUNING = (
    Setting("digits", "mlp", 32, 2, "relu", 960, 32, 600, (0.2, 0.02, 0.003, 0.003, 0.05)),
    Setting("digits", "mlp", 32, 1, "tanh", 960, 32, 600, (0.3, 0.03, 0.006, 0.004, 0.06)),
    Setting("digits", "cnn", 6, 2, "relu", 720, 24, 360, (0.1, 0.015, 0.008, 0.004, 0.06)),
    Setting("breast_cancer", "mlp", 16, 1, "relu", 320, 16, 400, (0.08, 0.007, 0.002, 0.0015, 0.02)),
    Setting("breast_cancer", "mlp", 16, 0, "relu", 320, 16, 400, (0.1, 0.01, 0.01, 0.008, 0.06)),
    Setting("diabetes", "mlp", 12, 1, "tanh", 288, 16, 360, (0.02, 0.002, 0.0015, 0.001, 0.02)),
    Setting("diabetes", "mlp", 12, 0, "relu", 288, 16, 360, (0.01, 0.0012, 0.01, 0.006, 0.06)),
    Setting("teacher", "mlp", 32, 2, "relu", 1600, 32, 1000, (0.1, 0.02, 0.006, 0.004, 0.05), 0.2),
    Setting("teacher", "mlp", 32, 1, "tanh", 1600, 32, 1000, (0.2, 0.02, 0.01, 0.005, 0.08), 0.2),
    Setting("spirals", "mlp", 32, 2, "relu", 1024, 32, 960, (0.5, 0.05, 0.008, 0.004, 0.1)),
    Setting("spirals", "mlp", 32, 2, "tanh", 1024, 32, 960, (0.5, 0.05, 0.01, 0.004, 0.1)),
    Setting("density", "mlp", 32, 2, "tanh", 1600, 32, 1200, (0.005, 0.001, 0.004, 0.002, 0.04), optimizers=ADAPTIVE),
    Setting("shapes", "cnn", 6, 2, "relu", 1200, 24, 500, (0.1, 0.012, 0.01, 0.006, 0.1)),
    Setting("blobs", "mlp", 24, 1, "relu", 1920, 32, 480, (0.1, 0.01, 0.003, 0.003, 0.04)),
    Setting("intervals", "mlp", 32, 1, "relu", 1920, 32, 900, (1.0, 0.1, 0.006, 0.004, 0.06)),
    Setting("charlm", "rnn", 40, 1, "tanh", 1600, 16, 900, (1.0, 0.1, 0.01, 0.006, 0.1)),
    Setting("charlm", "transformer", 16, 1, "gelu", 1600, 16, 900, (1.5, 0.15, 0.015, 0.006, 0.1)),
    Setting("majority", "rnn", 16, 1, "tanh", 1600, 32, 600, (0.1, 0.008, 0.005, 0.003, 0.05)),
    Setting("majority", "transformer", 16, 1, "gelu", 1280, 32, 320, (0.2, 0.025, 0.008, 0.003, 0.03)),
)
TESTING = (
    Setting("wine", "mlp", 16, 1, "relu", 110, 11, 240, (0.1, 0.01, 0.006, 0.004, 0.05)),
    Setting("wine", "residual", 16, 1, "relu", 110, 11, 240, (0.08, 0.008, 0.003, 0.002, 0.025)),
    Setting("wine", "mlp", 16, 0, "relu", 110, 11, 240, (0.1, 0.01, 0.01, 0.01, 0.1)),
    Setting("friedman", "mlp", 32, 2, "relu", 1600, 32, 900, (0.1, 0.03, 0.006, 0.004, 0.07), 0.2),
    Setting("friedman", "residual", 24, 2, "relu", 1600, 32, 800, (0.06, 0.02, 0.006, 0.003, 0.05), 0.2),
    Setting("checkerboard", "mlp", 48, 2, "relu", 2048, 32, 1280, (0.5, 0.04, 0.008, 0.006, 0.15)),
    Setting(
        "heteroscedastic", "mlp", 32, 2, "tanh", 1600, 32, 1200, (0.008, 0.001, 0.004, 0.002, 0.04), optimizers=ADAPTIVE
    ),
    Setting("segmentation", "fcn", 6, 2, "relu", 640, 16, 320, (1.0, 0.1, 0.015, 0.01, 0.12)),
    Setting("textures", "cnn", 5, 2, "relu", 960, 24, 360, (0.1, 0.012, 0.006, 0.004, 0.05)),
    Setting("waves", "gru", 16, 1, "tanh", 1280, 32, 400, (0.4, 0.05, 0.015, 0.008, 0.1)),
    Setting("sorting", "transformer", 16, 1, "gelu", 1600, 32, 500, (0.3, 0.04, 0.008, 0.003, 0.06)),
    Setting("charlm_logging", "gru", 24, 1, "tanh", 1600, 16, 800, (2.5, 0.25, 0.015, 0.01, 0.12)),
)
