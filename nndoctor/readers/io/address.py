"""Addresses of runs, projects and models at services: `wandb:entity/project/run`, or the web page of one."""

from __future__ import annotations

SCHEMES = {
    "wandb": ("wandb:ENTITY/PROJECT[/RUN]", "Weights & Biases: a run, or all runs of a project or sweep"),
    "mlflow": ("mlflow:EXPERIMENT[/RUN]", "MLflow, at MLFLOW_TRACKING_URI"),
    "hf": ("hf:OWNER/MODEL[@REVISION]", "a model on the Hugging Face Hub: trainer state, event files or model card"),
    "trackio": ("trackio:PROJECT[/RUN]", "Trackio's local store"),
    "optuna": ("optuna:URL[#STUDY]", "an Optuna storage, for sweep"),
    "aim": ("aim:FOLDER[#RUN]", "an Aim repository, also on a server: aim:aim://HOST:PORT"),
    "swanlab": ("swanlab:USER/PROJECT[/RUN]", "SwanLab"),
    "comet": ("comet:WORKSPACE/PROJECT[/EXPERIMENT]", "Comet"),
    "clearml": ("clearml:PROJECT/TASK", "ClearML; clearml:TASK_ID works, too"),
    "tensorboard": ("tensorboard:FOLDER", "only the event files of a folder, also on s3:// or gs://"),
}
"""The form of an address and what it means, by its first word."""

NAME = r"([^/?#\s]+)"
END = r"(?:/[^?#]*)?(?:[?#].*)?"
WEB = (
    (rf"https?://(?:www\.)?wandb\.ai/(?!site/|docs/){NAME}/{NAME}((?:/runs/|/sweeps/)[^/?#\s]+)?{END}", "wandb:"),
    (rf"https?://forge\.coreweave\.com/wandb/{NAME}/{NAME}((?:/runs/|/sweeps/)[^/?#\s]+)?{END}", "wandb:"),
    (rf"https?://huggingface\.co/(?!spaces/|datasets/|docs/){NAME}/{NAME}/?(?:/tree/main/?)?(?:[?#].*)?", "hf:"),
    (rf"https?://(?:www\.)?comet\.com/(?!docs/){NAME}/{NAME}(/[0-9a-zA-Z]{{20,}})?/?(?:[?#].*)?", "comet:"),
    (rf"https?://swanlab\.cn/@{NAME}/{NAME}((?:/runs)?/[^/?#\s]+)?{END}", "swanlab:"),
)
"""Web pages of runs, projects and models, and their schemes."""


def is_address(word: str) -> bool:
    """Whether a word is an address of a service.

    >>> is_address("wandb:me/nets/3f9a"), is_address("https://wandb.ai/me/nets/runs/3f9a"), is_address("C:/runs/a.csv")
    (True, True, False)
    """
    return split(word) is not None


def without_password(word: str) -> str:
    """An address as reports and messages may show it.

    >>> without_password("optuna:postgresql://me:s3cret@db.example.org/studies#a")
    'optuna:postgresql://me:***@db.example.org/studies#a'
    """
    head, at, rest = word.rpartition("@")
    scheme, slashes, login = head.partition("://")
    user, colon, _ = login.partition(":")
    return f"{scheme}://{user}:***@{rest}" if at and slashes and colon and "/" not in user else word


def split(word: str) -> tuple[str, str] | None:
    """The scheme and the rest of an address; None for any other word.

    >>> split("https://wandb.ai/me/nets/runs/3f9a?nw=1")
    ('wandb', 'me/nets/3f9a')
    """
    if word.startswith(("https://", "http://")):
        return _page(word)
    scheme, colon, rest = word.partition(":")
    return (scheme, rest) if colon and scheme in SCHEMES and rest else None


def _page(word: str) -> tuple[str, str] | None:
    import re

    for pattern, scheme in WEB:
        match = re.fullmatch(pattern, word)
        if match is not None:
            words = "/".join(part.strip("/") for part in match.groups() if part)
            return scheme.rstrip(":"), words.replace("/runs/", "/")
    return None
