"""Words of other languages' logs for losses, splits and epochs, put into English, and their letters into plain ones."""

from __future__ import annotations

import re
import unicodedata

WORDS = {
    "train": "训练集 训练 訓練 学習 훈련 학습",
    "val": "验证集 验证 驗證 検証 검증",
    "test": "测试集 测试 測試 テスト 테스트",
    "loss": "损失值 损失 損失 손실",
    "accuracy": "准确率 正确率 準確率 正解率 精度 정확도",
    "recall": "召回率 再現率 재현율",
    "lr": "学习率 學習率 学習率 학습률",
    "epoch": "训练轮次 训练轮数 轮次 轮数 エポック 에폭 에포크",
}
# Of inflected tongues the beginnings of words: what follows them changes with the case.
STEMS = {
    "train": "обуч тренировоч eğitim trening",
    "val": "валидаци валидацион doğrulama walidac",
    "test": "тестов",
    "loss": "потер лосс kayıp kayb strat",
    "accuracy": "точност doğruluğ doğruluk dokładnoś",
    "epoch": "эпох",
}
ENGLISH = {word: english for english, words in WORDS.items() for word in words.split()}
ANY = re.compile("|".join(sorted(ENGLISH, key=len, reverse=True)))
STEM = {stem: english for english, stems in STEMS.items() for stem in stems.split()}
STEMMED = re.compile(rf"\b({'|'.join(sorted(STEM, key=len, reverse=True))})\w*", re.IGNORECASE)
NTH = re.compile(r"第\s*(\d+(?:\s*/\s*\d+)?)\s*(?:轮|輪|个?周期|エポック|代)")
FOREIGN_LETTERS = re.compile(r"[\u0400-\u04ff\u0100-\u017f]")  # Cyrillic, and letters beyond those of Western Europe
EASTERN = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7af\uff00-\uff5e]")
ACCENTED = re.compile(r"[\u00c0-\u017f]")
FULL_WIDTH = {ord(wide): plain for wide, plain in zip("：，；（）％【】＝｜。、", ":,;()%[]=|,,", strict=True)}
ELIDED = re.compile(r"\b[dl]['\u2019](?=\w)", re.IGNORECASE)  # `perte d'entraînement`
WITHOUT_ACCENT = {k: base for k in range(0xC0, 0x180) if (base := unicodedata.normalize("NFKD", chr(k))[0]).isascii()}
COMPOUND = re.compile(
    r"\b(?P<split>training|trainings|validierung|validierungs|test)[_-]?(?P<metric>verlust|genauigkeit|fehler)\b",
    re.IGNORECASE,
)  # German


def translated(text: str) -> str:
    """A text with these words in English."""
    if not text.isascii():
        if EASTERN.search(text):
            text = ANY.sub(lambda found: f" {ENGLISH[found[0]]} ", NTH.sub(r" epoch \1 ", text.translate(FULL_WIDTH)))
        if FOREIGN_LETTERS.search(text):
            text = STEMMED.sub(lambda found: STEM[found[1].lower()], text)
        if ACCENTED.search(text):
            text = ELIDED.sub("", text).translate(WITHOUT_ACCENT)
    return COMPOUND.sub(_apart, text)


def _apart(found: re.Match[str]) -> str:
    return f"{found['split'].rstrip('s')} {found['metric']}"
