"""A small convolutional network on digits, stopped after one epoch."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

num_epochs = 1
d = load_digits()
xtr, xva, ytr, yva = train_test_split(d.images, d.target, test_size=0.3, random_state=0)
def as_set(a, b):
    return TensorDataset((torch.tensor(a, dtype=torch.float32)[:, None] - 4.9) / 6.0, torch.tensor(b))
train_data = DataLoader(as_set(xtr, ytr), batch_size=32, shuffle=True)
validation_data = DataLoader(as_set(xva, yva), batch_size=180)
model = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(96, 10),
)
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=6e-4)
