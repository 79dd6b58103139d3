"""A small transformer on made-up reviews."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader

random.seed(1)
torch.manual_seed(1)
GOOD = "great lovely superb fine brilliant charming".split()
BAD = "awful dull poor boring terrible weak".split()
NEUTRAL = "the film plot actor scene a was and with of music story very".split()
VOCAB = {w: k + 1 for k, w in enumerate(GOOD + BAD + NEUTRAL)}


def sentence():
    label = random.randint(0, 1)
    words = random.choices(NEUTRAL, k=9) + random.choices(GOOD if label else BAD, k=2) + random.choices(GOOD + BAD, k=1)
    random.shuffle(words)
    return [VOCAB[w] for w in words], label


def collate(rows):
    return torch.tensor([r[0] for r in rows]), torch.tensor([r[1] for r in rows])


class Encoder(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.embed = nn.Embedding(len(VOCAB) + 1, d)
        self.layer = nn.TransformerEncoderLayer(d, 2, 64, dropout=0.1, batch_first=True)
        self.out = nn.Linear(d, 2)

    def forward(self, ids):
        return self.out(self.layer(self.embed(ids)).mean(1))


train_data = DataLoader([sentence() for _ in range(1000)], batch_size=32, shuffle=True, collate_fn=collate)
validation_data = DataLoader([sentence() for _ in range(500)], batch_size=100, collate_fn=collate)
model = Encoder()
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
num_epochs = 5
