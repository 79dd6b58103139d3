"""Words of Chinese, Japanese and Korean logs for losses, splits and epochs, put into English."""

from __future__ import annotations

import re

WORDS = {
    "train": "训练集 训练 訓練 学習 훈련 학습",
    "val": "验证集 验证 驗證 検証 검증",
    "test": "测试集 测试 測試 テスト 테스트",
    "loss": "损失值 损失 損失 손실",
    "accuracy": "准确率 正确率 準確率 正解率 정확도",
    "lr": "学习率 學習率 学習率 학습률",
    "epoch": "轮次 エポック 에폭 에포크",
}
ENGLISH = {word: english for english, words in WORDS.items() for word in words.split()}
ANY = re.compile("|".join(sorted(ENGLISH, key=len, reverse=True)))
NTH = re.compile(r"第\s*(\d+(?:\s*/\s*\d+)?)\s*(?:轮|輪|个?周期|エポック|代)")


def in_english(text: str) -> str:
    """A text with these words in English.

    >>> in_english("第3轮 训练损失: 0.41")
    ' epoch 3   train  loss : 0.41'
    """
    if text.isascii() or not (ANY.search(text) or "第" in text):
        return text
    return ANY.sub(lambda found: f" {ENGLISH[found[0]]} ", NTH.sub(r" epoch \1 ", text))
