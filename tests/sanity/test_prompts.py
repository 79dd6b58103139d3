"""Labels of prompts and answers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import prompts  # noqa: E402

TEXT = torch.randint(10, 40, (32, 12), generator=torch.Generator().manual_seed(0))


def left_out(labels, text=TEXT, mask=None) -> bool:
    """What is noted of a batch of texts."""
    facts: dict[str, object] = {}
    batch = {"input_ids": text, "labels": labels} | ({} if mask is None else {"attention_mask": mask})
    prompts.probe(SimpleNamespace(batches=[batch], fact=facts.__setitem__))
    return "answers_left_out" in facts


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
