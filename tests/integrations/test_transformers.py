"""The Trainer's callback, with the real package and models of random weights."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")

import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainingArguments,
)

import nndoctor
from tests.integrations.data import column, network, rows

pytestmark = pytest.mark.filterwarnings("ignore")  # the Trainer's own


class Words(Dataset):
    """Sequences whose first word is the label, or which are their own labels."""

    def __init__(self, n=160, own=False):
        generator = torch.Generator().manual_seed(1)
        self.words = torch.randint(0, 3, (n, 6), generator=generator)
        self.own = own

    def __len__(self):
        return len(self.words)

    def __getitem__(self, k):
        return {"input_ids": self.words[k], "labels": self.words[k] if self.own else self.words[k, 0]}


def bert():
    """A tiny classifier."""
    torch.manual_seed(0)
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=8, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
            max_position_embeddings=8, num_labels=3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )
    )  # fmt: skip


def gpt():
    """A tiny language model."""
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=8, n_positions=8, n_embd=16, n_layer=1, n_head=2))


class Classifier(nn.Module):
    """A plain network under the Trainer: returns its own loss."""

    def __init__(self, fault):
        super().__init__()
        self.embed, self.net = nn.Embedding(8, 2), network(fault)

    def forward(self, input_ids, labels=None):  # noqa: D102
        logits = self.net(self.embed(input_ids).flatten(1))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def fitted(folder, model, doctor, *, data=None, resume=None, **options):
    """Train a model; the trainer."""
    defaults = {
        "num_train_epochs": 3, "per_device_train_batch_size": 16, "learning_rate": 0.01, "logging_steps": 2,
        "eval_strategy": "epoch", "save_strategy": "no", "report_to": [], "use_cpu": True, "disable_tqdm": True, "seed": 0,
    }  # fmt: skip
    data = data or Words()
    trainer = Trainer(
        model=model, args=TrainingArguments(output_dir=str(folder), **{**defaults, **options}),
        train_dataset=data, eval_dataset=data, callbacks=[doctor] if doctor else [],
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def logged(trainer, name):
    """What the Trainer logged, by step counted from 0."""
    return {entry["step"] - 1: entry[name] for entry in trainer.state.log_history if name in entry}


def test_losses_rates_and_evaluations_stand_in_their_rows(tmp_path, capsys):
    """Each logged mean stands in the row of its step, and only there; the verdict is printed at the end."""
    doctor = nndoctor.integrations.transformers.Doctor()
    trainer = fitted(tmp_path, bert(), doctor)
    folder = tmp_path / "nndoctor"
    assert list(rows(folder)) == list(range(30))
    assert column(folder, "loss") == pytest.approx(logged(trainer, "loss"), rel=1e-4)
    assert column(folder, "eval_loss") == pytest.approx(logged(trainer, "eval_loss"), rel=1e-4)
    used = [0.01 * (1 - k / 30) for k in range(30)]
    assert list(column(folder, "lr").values()) == pytest.approx(used)
    facts = json.loads((folder / "run.json").read_text())
    assert (facts["optimizer"], facts["loss"], facts["num_classes"]) == ("AdamW", "cross-entropy", 3)
    assert "bert.encoder.layer.0.intermediate.dense" in facts["layers"]
    assert not [finding for finding in doctor.report.findings if finding.severity == "error"]
    assert capsys.readouterr().out.rstrip().endswith(f"Full report: nndoctor diagnose {folder} -v")


def test_the_training_is_the_same_with_and_without_it(tmp_path):
    """Weights bit for bit."""
    bare, watched = bert(), bert()
    fitted(tmp_path / "a", bare, None)
    fitted(tmp_path / "b", watched, nndoctor.integrations.transformers.Doctor(every=1, stop_on="error", show=False))
    assert all(torch.equal(a, b) for a, b in zip(bare.parameters(), watched.parameters(), strict=True))


@pytest.mark.parametrize(("make", "own"), [(bert, False), (gpt, True)])
def test_accumulated_losses_are_means(make, own, tmp_path):
    """Whether the model divides its loss by the examples of all accumulated batches or takes a mean over its own."""
    found = []
    for name, options in (
        ("whole", {"per_device_train_batch_size": 32}),
        ("parts", {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 4}),
    ):
        doctor = nndoctor.integrations.transformers.Doctor(show=False)
        fitted(tmp_path / name, make(), doctor, data=Words(own=own), learning_rate=0.0, logging_steps=1, **options)
        found.append(list(column(tmp_path / name / "nndoctor", "loss").values()))
    assert found[1] == pytest.approx(found[0], rel=0.05)


def test_dead_units_are_named(tmp_path):
    """A network that is dead from the start."""
    doctor = nndoctor.integrations.transformers.Doctor(every=2, show=False)
    fitted(tmp_path, Classifier("dead"), doctor)
    assert {"dead-relu", "constant-output"} & {
        finding.name for finding in doctor.report.findings if finding.severity == "error"
    }


def test_a_failing_run_is_stopped(tmp_path, capsys):
    """stop_on="error" sets should_training_stop."""
    doctor = nndoctor.integrations.transformers.Doctor(stop_on="error")
    trainer = fitted(tmp_path, Classifier("dead"), doctor, num_train_epochs=100, logging_steps=1)
    assert trainer.state.global_step < 500
    assert "stopping the training at step" in capsys.readouterr().err


def test_a_resumed_run_goes_on_in_its_folder(tmp_path):
    """From a checkpoint of the Trainer."""
    fitted(
        tmp_path,
        bert(),
        nndoctor.integrations.transformers.Doctor(show=False),
        num_train_epochs=2,
        save_strategy="epoch",
    )
    again = nndoctor.integrations.transformers.Doctor(show=False)
    fitted(tmp_path, bert(), again, num_train_epochs=3, resume=str(tmp_path / "checkpoint-20"))
    assert list(rows(tmp_path / "nndoctor")) == list(range(30))
    assert not (tmp_path / "nndoctor-2").exists()


def test_adapters_and_checkpointed_layers_are_recorded(tmp_path):
    """LoRA: what trains is the adapters; the frozen base is no error."""
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(bert(), peft.LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query", "value"]))
    doctor = nndoctor.integrations.transformers.Doctor(every=2, show=False)
    fitted(tmp_path, model, doctor, gradient_checkpointing=True)
    layers = json.loads((tmp_path / "nndoctor" / "run.json").read_text())["layers"]
    assert any("lora_A" in layer for layer in layers)
    assert not [finding for finding in doctor.report.findings if finding.severity == "error"]
