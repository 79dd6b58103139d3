"""A convolutional network on digits, trained until it no longer improves."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.images, dtype=torch.float32)[:, None] / 8 - 1
y = torch.tensor(d.target)
i = torch.randperm(len(y))
train_data = DataLoader(TensorDataset(x[i[:1300]], y[i[:1300]]), batch_size=32, shuffle=True)
validation_data = DataLoader(TensorDataset(x[i[1300:]], y[i[1300:]]), batch_size=256)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 10),
)
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
EPOCHS = 12
