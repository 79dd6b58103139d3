"""The start of a model file that `nndoctor sanity --template` prints."""

from __future__ import annotations

TEMPLATE = '''"""What nndoctor examines: names below are found by their spelling; all but model, loss and train_data may be left out."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))  # or def model(): return Net()
loss = nn.CrossEntropyLoss()  # or def loss(output, target): ...

inputs = torch.randn(512, 20)  # put your own data here
targets = inputs[:, :3].argmax(1)
train_data = DataLoader(TensorDataset(inputs[:400], targets[:400]), batch_size=32, shuffle=True)
validation_data = DataLoader(TensorDataset(inputs[400:], targets[400:]), batch_size=64)

optimizer = lambda params: torch.optim.Adam(params, lr=1e-3)  # or an optimizer over model.parameters()

# For a batch that is not (input, target):
# def step(model, batch): return the loss
# For a training loop of your own, which is then checked, too:
# def train_step(model, batch, optimizer): one whole step
# The usual names of scripts are found as well: net, criterion, loss_fn, train_loader, val_loader.
'''
