"""Functional dropout of 90 percent in every layer."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
d = load_digits()
X = torch.tensor(d.data, dtype=torch.float32) / 16
X = (X - X.mean()) / X.std()
Y = torch.tensor(d.target)
perm = torch.randperm(len(X))
X, Y = X[perm], Y[perm]
train_data = DataLoader(TensorDataset(X[:1300], Y[:1300]), batch_size=50, shuffle=True)
validation_data = DataLoader(TensorDataset(X[1300:], Y[1300:]), batch_size=497)

class Classifier(nn.Module):
    def __init__(self, p=0.9):
        super().__init__()
        self.p = p
        self.a = nn.Linear(64, 96)
        self.b = nn.Linear(96, 96)
        self.c = nn.Linear(96, 10)

    def forward(self, x):
        x = F.dropout(F.relu(self.a(x)), self.p, self.training)
        x = F.dropout(F.relu(self.b(x)), self.p, self.training)
        return self.c(x)

model = Classifier()
loss = F.cross_entropy
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
