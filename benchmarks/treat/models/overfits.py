"""A wide network, few and noisy examples, no regularization, many epochs."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
N, D = 900, 40
x = torch.randn(N, D)
w = torch.randn(D)
y = ((x @ w) / w.norm() + 0.7 * torch.randn(N) > 0).long()
train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20, shuffle=True)
validation_data = DataLoader(TensorDataset(x[200:], y[200:]), batch_size=350)

class MLP(nn.Module):
    def __init__(self, hidden=256):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(D, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.head = nn.Linear(hidden, 2)
    def forward(self, x):
        return self.head(self.body(x))

model = MLP()
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
EPOCHS = 25
