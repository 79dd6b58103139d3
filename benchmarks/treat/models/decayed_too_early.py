"""A scheduler that divides the learning rate by ten after every epoch; dict batches and a step of the user's own."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    def __init__(self, train):
        d = load_digits()
        part = slice(0, 1300) if train else slice(1300, None)
        self.images = torch.tensor(d.images[part], dtype=torch.float32).unsqueeze(1) / 16
        self.labels = torch.tensor(d.target[part])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {"pixels": self.images[i], "label": self.labels[i]}


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3)
        self.conv2 = nn.Conv2d(16, 32, 3)
        self.fc = nn.Linear(32 * 4 * 4, 10)

    def forward(self, pixels):
        h = F.relu(self.conv2(F.relu(self.conv1(pixels))))
        return self.fc(h.flatten(1))


def step(model, batch):
    return F.cross_entropy(model(batch["pixels"]), batch["label"])


model = CNN()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)
train_data = DataLoader(Digits(True), batch_size=64, shuffle=True)
validation_data = DataLoader(Digits(False), batch_size=100)
EPOCHS = 8
