"""TRL's SFTTrainer with the callback for Transformers, on a network and a vocabulary made here."""

from __future__ import annotations

import pytest

pytest.importorskip("trl")

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

from nndoctor.integrations.transformers import Doctor
from tests.integrations.data import column

pytestmark = pytest.mark.filterwarnings("ignore")  # TRL's own

WORDS = [*"abcdefgh", "<pad>", "<eos>", "<unk>"]


def tuned(folder, *, fault: str = "") -> Doctor:
    """Fine-tune on sequences of letters in order."""
    words = Tokenizer(models.WordLevel({word: k for k, word in enumerate(WORDS)}, unk_token=WORDS[10]))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, **dict(zip(("pad_token", "eos_token", "unk_token"), WORDS[8:], strict=True))
    )
    torch.manual_seed(0)
    size = {"vocab_size": len(WORDS), "n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2}
    model = GPT2LMHeadModel(GPT2Config(**size, bos_token_id=9, eos_token_id=9))
    if fault == "nan":
        torch.nn.init.constant_(model.transformer.h[0].mlp.c_fc.bias, float("nan"))
    texts = Dataset.from_list([{"text": " ".join(WORDS[(k + i) % 8] for i in range(12))} for k in range(64)])
    doctor = Doctor(show=False)
    options = {"report_to": "none", "save_strategy": "no", "use_cpu": True, "bf16": False, "disable_tqdm": True}
    arguments = SFTConfig(
        output_dir=str(folder), max_steps=24, per_device_train_batch_size=8, learning_rate=0.003, logging_steps=1,
        eval_strategy="steps", eval_steps=6, **options,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=texts,
        eval_dataset=texts,
        processing_class=tokenizer,
        callbacks=[doctor],
    )
    trainer.train()
    return doctor


def test_a_fine_tuning_is_recorded_and_judged(tmp_path):
    """Losses, token accuracy and entropy of both splits; nothing grave is found in a healthy one."""
    doctor = tuned(tmp_path)
    assert len(column(tmp_path / "nndoctor", "loss")) == 24
    assert doctor.report is not None
    assert {"train/loss", "validation/loss", "train/accuracy", "entropy"} <= set(doctor.report.run.series)
    assert not [finding for finding in doctor.report.findings if finding.severity == "error"]


def test_a_poisoned_weight_is_named(tmp_path):
    """The Trainer's own log hides a loss that is NaN."""
    doctor = tuned(tmp_path, fault="nan")
    assert doctor.report is not None
    assert doctor.report.primary is not None
    assert doctor.report.primary.name == "nan-in-layer"
