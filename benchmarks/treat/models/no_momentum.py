"""A training step of the user's own, SGD without momentum at a rate made for it."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
x = torch.from_numpy(digits.data).float().sub(4.88).div(6.02)
y = torch.from_numpy(digits.target).long()
p = torch.randperm(len(x))
train_data = DataLoader(TensorDataset(x[p[:1400]], y[p[:1400]]), batch_size=64, shuffle=True)
validation_data = DataLoader(TensorDataset(x[p[1400:]], y[p[1400:]]), batch_size=64)
model = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.004, momentum=0.0)


def train_step(model, batch, optimizer):
    inputs, targets = batch
    optimizer.zero_grad()
    value = loss(model(inputs), targets)
    value.backward()
    optimizer.step()
    return value
