"""Weights drawn from N(0, 1), whatever the fan-in."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, 0.0, 1.0)
        nn.init.zeros_(m.bias)


torch.manual_seed(5)
bunch = load_digits()
inputs, labels = torch.tensor(bunch.data / 16, dtype=torch.float32), torch.tensor(bunch.target)
mix = torch.randperm(1797)
train_data = DataLoader(TensorDataset(inputs[mix[:1300]], labels[mix[:1300]]), batch_size=32, shuffle=True)
validation_data = DataLoader(TensorDataset(inputs[mix[1300:]], labels[mix[1300:]]), batch_size=64)
model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
model.apply(init)
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
