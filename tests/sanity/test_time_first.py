"""Sequences by time and example, as pad_sequence and nn.Transformer have them by default."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import data, targets_seen  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402
from nndoctor.sanity.time_first import exchanged  # noqa: E402

TRANSLATION = """
import warnings; warnings.simplefilter("ignore")
from torch.nn.utils.rnn import pad_sequence
class Translate(nn.Module):
    def __init__(self):
        super().__init__(); self.e, self.o = nn.Embedding(12, 16), nn.Linear(16, 12)
        self.t = nn.Transformer(16, 2, 1, 1, 16, dropout=0.1)
    def forward(self, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(len(target)).isinf() & MASK
        return self.o(self.t(self.e(source), self.e(target), tgt_mask=mask))
pairs = [(torch.randint(0, 12, (n,)), torch.randint(0, 12, (m,))) for n, m in zip([5, 7, 6, 9] * 30, [6, 8, 11, 7] * 30)]
train_data = DataLoader(pairs, batch_size=20, collate_fn=lambda rows: tuple(map(pad_sequence, zip(*rows))))
model = Translate(); del loss; optimizer = torch.optim.Adam(model.parameters()); validation_data = None
def step(model, batch):
    source, target = batch
    assert source.shape[1] == 20 == target.shape[1]
    scores = model(source, GIVEN)
    return nn.functional.cross_entropy(scores.flatten(0, 1), target[1:].flatten())
"""


def of(mask="True", given="target[:-1]"):
    return TRANSLATION.replace("MASK", mask).replace("GIVEN", given)


def test_batches_have_the_examples_first_and_the_step_what_it_expects(written):
    subject = from_file(written(of()))
    assert {len(part) for part in next(iter(subject.train))} == {20}
    assert subject.step is not None
    assert subject.step(subject.model, next(iter(subject.train))).ndim == 0


def test_examples_are_counted(probed):
    assert probed(of(), data.probe)["examples_read"] == 120


@pytest.mark.parametrize(("mask", "seen"), [("True", False), ("False", True)])
def test_a_decoder_without_a_causal_mask(probed, mask, seen):
    assert (probed(of(mask), targets_seen.probe)["future_change"] > 1e-3) is seen


def test_a_decoder_that_is_given_its_own_target(probed):
    assert probed(of(given="target[1:]"), targets_seen.probe)["target_argument"] == "target"


def test_batches_of_one_form_are_left_as_they_are(written):
    subject = from_file(
        written("def step(model, batch): return nn.functional.cross_entropy(model(batch[0]), batch[1])")
    )
    assert not subject.time_first


def test_an_exchange_is_its_own_opposite():
    batch = (torch.randn(3, 5, 2), torch.arange(5))
    assert torch.equal(exchanged(exchanged(batch))[0], batch[0])
    assert torch.equal(exchanged(batch)[1], batch[1])
