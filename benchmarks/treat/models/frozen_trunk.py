"""Everything but the last layer is frozen, and nothing was pretrained."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)
x = torch.randn(2000, 2) * 2
y = ((x[:, 0].mul(1.5).sin() * x[:, 1].mul(1.5).sin()) > 0).long()
train_data = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=50, shuffle=True)
validation_data = DataLoader(TensorDataset(x[1500:], y[1500:]), batch_size=500)
trunk = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
for parameter in trunk.parameters():
    parameter.requires_grad = False
model = nn.Sequential(trunk, nn.Linear(64, 2))
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
epochs = 15
