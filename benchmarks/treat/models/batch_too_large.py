"""The whole training set in one batch: a step per epoch."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH_SIZE = 1400
torch.manual_seed(11)
d = load_digits()
x = torch.tensor(d.images, dtype=torch.float32).flatten(1) / 8 - 1
y = torch.tensor(d.target)
i = torch.randperm(len(y))
train_data = DataLoader(TensorDataset(x[i[:1400]], y[i[:1400]]), batch_size=BATCH_SIZE, shuffle=True)
validation_data = DataLoader(TensorDataset(x[i[1400:]], y[i[1400:]]), batch_size=BATCH_SIZE)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.BatchNorm1d(128), nn.Linear(128, 10))
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
epochs = 20
