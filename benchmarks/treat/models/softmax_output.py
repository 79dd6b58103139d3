"""A softmax before a loss that takes logits."""
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
wine = load_wine()
x = torch.tensor(wine.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(wine.target)
order = torch.randperm(len(y))
train_data = DataLoader(TensorDataset(x[order[:110]], y[order[:110]]), batch_size=10, shuffle=True)
validation_data = DataLoader(TensorDataset(x[order[110:]], y[order[110:]]), batch_size=68)
model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3), nn.Softmax(dim=1))
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
epochs = 12
