"""Whether a text needs translating: most are plain English, and load no dictionary."""

from __future__ import annotations

GERMAN = ("erlust", "enauigk", "ehler")  # the ends of words that are spelled without an accent


def in_english(text: str) -> str:
    """A text with the words of other languages for losses, splits and epochs in English.

    >>> in_english("第3轮 训练损失: 0.41")
    ' epoch 3   train  loss : 0.41'
    >>> in_english("Época 3: pérdida de validación"), in_english("Trainingsverlust")
    ('Epoca 3: perdida de validacion', 'Training verlust')
    """
    if text.isascii() and not any(end in text for end in GERMAN):
        return text
    from nndoctor.readers.vocabulary.translations import translated

    return translated(text)
