"""The training framework that wrote a log, where its own columns show it: some train nothing but language models."""

from __future__ import annotations

from nndoctor.core.run import Fact
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import tidy

# Columns that no other framework logs together, in lower case joined by underscores.
COLUMNS = {
    "LLaMA-Factory": {"current_steps", "total_steps", "percentage"},
    "torchtune": {"tokens_per_second_per_gpu"},
    "Megatron": {"lm_loss", "consumed_samples"},
    "MaxText": {"total_weights", "tokens_s_device"},
    "torchtitan": {"tps", "tflops", "mfu"},
}


def framework(table: Table) -> dict[str, Fact]:
    """The fact `framework`, where the table does not have it already; nothing where the columns do not tell."""
    if "framework" in table.facts:
        return {}
    names = {tidy(name) for name in (*table.columns, *table.words, *table.ignored)}
    found = next((name for name, own in COLUMNS.items() if own <= names), None)
    return {} if found is None else {"framework": Fact(found)}
