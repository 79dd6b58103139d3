"""A regression with a cosine schedule and a model factory."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(3)
x = rng.normal(size=(2400, 8)).astype(np.float32)
f = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.3 * rng.normal(size=2400)
y = ((f - f.mean()) / f.std()).astype(np.float32)[:, None]
X, Y = torch.from_numpy(x), torch.from_numpy(y)
train_data = DataLoader(TensorDataset(X[:1800], Y[:1800]), batch_size=32, shuffle=True)
validation_data = DataLoader(TensorDataset(X[1800:], Y[1800:]), batch_size=300)
epochs = 14
steps = epochs * len(train_data)


def model(width=64):
    return nn.Sequential(nn.Linear(8, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))


loss = nn.MSELoss()


def optimizer(params):
    return torch.optim.AdamW(params, lr=4e-3, weight_decay=1e-2)


def scheduler(optimizer):
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
