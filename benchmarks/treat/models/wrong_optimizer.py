"""A GRU that counts; Adagrad starves it."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Bits(Dataset):
    """The class is the number of ones in the second half of a sequence, at most 3."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.x = (torch.rand(n, 16, 1, generator=g) < 0.3).float()
        self.y = self.x[:, 8:, 0].sum(1).clamp(max=3).long()

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Counter(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 4)

    def forward(self, x):
        states, _ = self.gru(x)
        return self.out(states[:, -1])


def model():
    return Counter()


loss = nn.CrossEntropyLoss()
optimizer = lambda params: torch.optim.Adagrad(params, lr=0.001)
train_data = DataLoader(Bits(1000, 1), batch_size=50, shuffle=True)
validation_data = DataLoader(Bits(400, 2), batch_size=200)
EPOCHS = 15
