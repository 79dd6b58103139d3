"""Two hidden units for a task of ten classes."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
data = load_digits()
order = torch.randperm(len(data.target))
x = (torch.tensor(data.data, dtype=torch.float32)[order] - 8) / 6
y = torch.tensor(data.target)[order]
train_data = DataLoader(TensorDataset(x[:1200], y[:1200]), batch_size=32, shuffle=True)
validation_data = DataLoader(TensorDataset(x[1200:], y[1200:]), batch_size=128)

model = nn.Sequential(nn.Linear(64, 2), nn.ReLU(), nn.Linear(2, 10))
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
epochs = 20
