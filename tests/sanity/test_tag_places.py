"""Tags of tokens that stand at other places than the tokens that they follow from."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import tag_places  # noqa: E402

TAGGED = """
ids = torch.randint(1, 40, (200, 12)); tags = (ids % 3).roll(MOVED, 1)
class Tagger(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(40, 16); self.r = nn.GRU(16, 16, batch_first=True, bidirectional=BOTH_WAYS)
        self.o = nn.Linear(16 + 16 * BOTH_WAYS, 3)
    def forward(self, ids): return self.o(self.r(self.e(ids))[0])
model = Tagger(); optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None; del loss
train_data = DataLoader(TensorDataset(ids, tags), batch_size=20)
def step(model, batch): return nn.functional.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten())
"""


def tagged(moved: int, both_ways: bool = True) -> str:
    return TAGGED.replace("MOVED", str(moved)).replace("BOTH_WAYS", str(both_ways))


@pytest.mark.parametrize(("moved", "offset"), [(-1, 1), (1, -1), (2, -2)])
def test_tags_that_were_moved_are_seen(probed, moved, offset):
    facts = probed(tagged(moved), tag_places.probe)
    assert facts["tag_offset"] == offset
    assert facts["tag_signal"] > 0.9


def test_tags_at_their_own_places_are_not(probed):
    assert "tag_offset" not in probed(tagged(0), tag_places.probe)


def test_a_model_that_predicts_what_comes_next_is_left_alone(probed):
    """It is causal, and sees no later token."""
    assert "tag_offset" not in probed(tagged(-1, both_ways=False), tag_places.probe)


MASKED = """
ids = torch.arange(12).repeat(200, 1) % 3 * 10 + torch.randint(0, 2, (200, 1)); tags = torch.full_like(ids, -100)
hidden = torch.rand(200, 12) < 0.5; tags[hidden] = ids[hidden]; ids[hidden] = 39
"""


def test_words_that_a_masked_model_is_asked_for_are_no_tags(probed):
    """The token at their own place is the mask, and its neighbours tell them."""
    change = tagged(0).replace("ids = torch.randint(1, 40, (200, 12)); tags = (ids % 3).roll(0, 1)", MASKED)
    assert "tag_offset" not in probed(change.replace("16 * BOTH_WAYS, 3", "16 * BOTH_WAYS, 40"), tag_places.probe)
