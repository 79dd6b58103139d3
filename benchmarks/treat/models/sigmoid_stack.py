"""Six layers of sigmoids under plain SGD."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(0)
torch.manual_seed(0)
t = np.random.uniform(0, 4 * np.pi, 1600)
k = np.random.randint(0, 2, 1600)
points = np.stack([t * np.cos(t + np.pi * k), t * np.sin(t + np.pi * k)], 1) / 8 + 0.02 * np.random.randn(1600, 2)
x, y = torch.tensor(points, dtype=torch.float32), torch.tensor(k)[:, None].float()
train_data = DataLoader(TensorDataset(x[:1200], y[:1200]), batch_size=32, shuffle=True)
validation_data = DataLoader(TensorDataset(x[1200:], y[1200:]), batch_size=400)

layers = [nn.Linear(2, 40), nn.Sigmoid()]
for _ in range(5):
    layers += [nn.Linear(40, 40), nn.Sigmoid()]
model = nn.Sequential(*layers, nn.Linear(40, 1))
loss = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
epochs = 25
