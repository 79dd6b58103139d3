"""Digits, a plain MLP; the learning rate is far too high."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

SEED = 42
BATCH_SIZE = 64
LR = 1.5
EPOCHS = 8

torch.manual_seed(SEED)
digits = load_digits()
X = torch.tensor(digits.data / 16.0, dtype=torch.float32)
Y = torch.tensor(digits.target)
train_set, val_set = random_split(TensorDataset(X, Y), [1400, 397])
train_data = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
validation_data = DataLoader(val_set, batch_size=256)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)


model = Net()
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
