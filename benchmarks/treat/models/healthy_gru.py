"""A GRU on short sequences."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

g = torch.Generator().manual_seed(4)
x = torch.randn(1500, 12, 3, generator=g)
y = (x[:, :, 0].sum(1) > x[:, :, 1].sum(1)).long()


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 24, batch_first=True)
        self.head = nn.Linear(24, 2)

    def forward(self, x):
        _, h = self.rnn(x)
        return self.head(h[-1])


model = Reader()
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
train_data = DataLoader(TensorDataset(x[:1000], y[:1000]), batch_size=32, shuffle=True)
validation_data = DataLoader(TensorDataset(x[1000:], y[1000:]), batch_size=250)
num_epochs = 12
