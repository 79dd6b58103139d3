"""Variational autoencoders whose penalty outweighs the reconstruction."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import collapse  # noqa: E402

VAE = """
base = torch.randn(240, 3) @ torch.randn(3, 8)
class Vae(nn.Module):
    def __init__(self):
        super().__init__(); self.a = nn.Linear(8, 32); self.b = nn.Linear(32, 8); self.c = nn.Linear(4, 32); self.d = nn.Linear(32, 8)
    def forward(self, v):
        mean, log_var = self.b(torch.relu(self.a(v))).chunk(2, 1)
        z = mean + NOISE * (0.5 * log_var).exp()
        return self.d(torch.relu(self.c(z))), mean, log_var
model = Vae(); optimizer = torch.optim.Adam(model.parameters(), 3e-3); del loss; validation_data = None
train_data = DataLoader(TensorDataset(base), batch_size=40, shuffle=True)
def step(model, batch):
    made, mean, log_var = model(batch[0])
    penalty = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum()
    return nn.functional.mse_loss(made, batch[0], reduction=REDUCTION) + penalty
"""
DRAWN = "torch.randn_like(mean)"


def vae(reduction: str, noise: str = DRAWN) -> str:
    """A variational autoencoder."""
    return VAE.replace("REDUCTION", repr(reduction)).replace("NOISE", noise)


def test_a_penalty_that_outweighs_a_mean_is_seen(probed):
    facts = probed(vae("mean"), collapse.probe)
    assert facts["collapsed_follows"] < 0.1
    assert facts["collapsed_follows_alone"] > 0.4


@pytest.mark.parametrize(("reduction", "noise"), [("sum", DRAWN), ("mean", "0")], ids=["sums", "nothing is drawn"])
def test_other_autoencoders_are_left_alone(probed, reduction, noise):
    assert "collapsed_follows" not in probed(vae(reduction, noise), collapse.probe)
