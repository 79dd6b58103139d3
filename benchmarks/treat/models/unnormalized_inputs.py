"""Features between a hundredth and several thousands, given to the network as they are."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

raw = load_breast_cancer()
a, b, c, d = train_test_split(raw.data, raw.target, test_size=0.35, random_state=1, stratify=raw.target)
def loader(x, y, shuffle):
    ds = TensorDataset(torch.tensor(x).float(), torch.tensor(y).float().unsqueeze(1))
    return DataLoader(ds, batch_size=16, shuffle=shuffle)
train_data = loader(a, c, True)
validation_data = loader(b, d, False)

model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
loss = nn.BCELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
epochs = 15
