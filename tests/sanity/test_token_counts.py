"""Labels of texts against the tokens in them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.token_counts import told_by_tokens  # noqa: E402


@pytest.fixture
def texts():
    """400 texts of 30 tokens, and how many of them are token 7."""
    draws = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 50, (400, 30), generator=draws)
    return tokens, (tokens == 7).sum(1)


def test_classes_that_depend_on_a_token(texts):
    tokens, count = texts
    assert told_by_tokens(tokens, (count > 0).long())


def test_numbers_that_depend_on_a_token(texts):
    tokens, count = texts
    assert told_by_tokens(tokens, count.float())


def test_shuffled_classes(texts):
    tokens, count = texts
    order = torch.randperm(400, generator=torch.Generator().manual_seed(1))
    assert not told_by_tokens(tokens, (count > 0).long()[order])


@pytest.mark.parametrize("labels", [torch.zeros(400, dtype=torch.long), torch.arange(400), torch.zeros(400)])
def test_labels_that_say_nothing(texts, labels):
    """All the same, or all different."""
    assert not told_by_tokens(texts[0], labels)


def test_inputs_that_are_no_tokens(texts):
    assert not told_by_tokens(texts[0].float(), texts[1])
