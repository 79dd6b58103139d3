"""Friedman's regression by a model factory; Adam at a thousandth of a sensible rate."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

rng = np.random.default_rng(7)
n = 1500
features = rng.uniform(size=(n, 10)).astype("float32") * 2 - 1
target = (np.sin(3 * features[:, 0] * features[:, 1]) + 2 * features[:, 2] ** 2 + features[:, 3] + 0.1 * rng.normal(size=n))
target = ((target - target.mean()) / target.std()).astype("float32")


class Rows(Dataset):
    def __init__(self, lo, hi):
        self.x, self.y = features[lo:hi], target[lo:hi]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return torch.from_numpy(self.x[i]), torch.tensor([self.y[i]])


def model():
    return nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))


loss = nn.MSELoss()
optimizer = lambda params: torch.optim.Adam(params, lr=3e-6)
train_data = Rows(0, 1000)
validation_data = Rows(1000, 1500)
