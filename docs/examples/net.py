"""A small image classifier with three mistakes, for the documentation."""

import torch
from torch import nn

model = nn.Sequential(nn.Linear(64, 32), nn.Linear(32, 10), nn.Softmax(dim=1))  # no activation, and a softmax too many
loss = nn.CrossEntropyLoss()

generator = torch.Generator().manual_seed(0)
labels = torch.randint(10, (512,), generator=generator)
pixels = torch.randint(256, (512, 64), generator=generator) // 2 + 12 * labels[:, None]  # 0–255, as images are stored
train_data = torch.utils.data.TensorDataset(pixels.float(), labels)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
