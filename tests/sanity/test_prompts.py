"""Labels of prompts and answers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import prompts  # noqa: E402

TEXT = torch.randint(10, 40, (32, 12), generator=torch.Generator().manual_seed(0))


def left_out(labels, text=TEXT, mask=None) -> bool:
    """What is noted of a batch of texts."""
    return "answers_left_out" in noted(labels, text, mask)


def noted(labels, text, mask=None, end=None) -> dict[str, object]:
    facts: dict[str, object] = {}
    batch = {"input_ids": text, "labels": labels} | ({} if mask is None else {"attention_mask": mask})
    model = SimpleNamespace(config=SimpleNamespace(eos_token_id=end))
    prompts.probe(SimpleNamespace(batches=[batch], fact=facts.__setitem__, model=model))
    return facts


def without(places: slice):
    labels = TEXT.clone()
    labels[:, places] = -100
    return labels


def test_labels_without_the_answer_are_the_wrong_way_round():
    assert left_out(without(slice(8, None)))


@pytest.mark.parametrize("places", [slice(0, 8), slice(0, 0), slice(4, 6)], ids=["prompt", "nothing", "a part within"])
def test_labels_that_keep_the_end_are_sound(places):
    assert not left_out(without(places))


def test_padding_is_no_answer():
    text, mask = TEXT.clone(), torch.ones_like(TEXT)
    text[:, 8:], mask[:, 8:] = 0, 0
    labels = text.masked_fill(mask == 0, -100)
    assert not left_out(labels, text)
    assert not left_out(labels, TEXT.clone().masked_fill(mask == 0, 0), mask)


@pytest.mark.parametrize(("left", "end"), [(True, 5), (False, None)])
def test_the_token_that_ends_each_text(left, end):
    """Left out of the labels where padding is the same token; a text may begin with it."""
    text = torch.cat([torch.full((32, 1), 5), TEXT, torch.full((32, 3), 5)], 1)
    mask = torch.ones_like(text)
    mask[:, -2:] = 0
    labels = text.masked_fill((text == 5) if left else (mask == 0), -100)
    assert noted(labels, text, mask, end=5).get("end_left_out") == end
