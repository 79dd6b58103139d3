"""Addresses of services: which words are some, what is read, and one line for all that can go wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fakes

import nndoctor
from nndoctor.cli.entry import run
from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.address import SCHEMES, split
from nndoctor.readers.services import service_of
from nndoctor.readers.services.service import error_line

PAGES = {
    "https://wandb.ai/me/nets/runs/r1": ("wandb", "me/nets/r1"),
    "https://wandb.ai/me/nets/runs/r1/overview?nw=1": ("wandb", "me/nets/r1"),
    "https://wandb.ai/me/nets": ("wandb", "me/nets"),
    "https://wandb.ai/me/nets/workspace?nw=me": ("wandb", "me/nets"),
    "https://wandb.ai/me/nets/sweeps/s1": ("wandb", "me/nets/sweeps/s1"),
    "https://forge.coreweave.com/wandb/me/nets/runs/r1": ("wandb", "me/nets/r1"),
    "https://huggingface.co/owner/model": ("hf", "owner/model"),
    "https://huggingface.co/owner/model/tree/main": ("hf", "owner/model"),
    "https://swanlab.cn/@me/nets/runs/r1/chart": ("swanlab", "me/nets/r1"),
    "wandb:me/nets": ("wandb", "me/nets"),
    "mlflow:/Users/me/exp/run 1": ("mlflow", "/Users/me/exp/run 1"),
    "optuna:sqlite:///x.db#study": ("optuna", "sqlite:///x.db#study"),
}
OTHER = (
    "runs/a.csv", "-", "wandb:", "C:\\runs\\a.csv", "https://example.org/me/nets/runs/r1", "s3://bucket/run.csv",
    "https://huggingface.co/owner/model/resolve/main/trainer_state.json", "https://huggingface.co/datasets/a/b",
)  # fmt: skip


@pytest.mark.parametrize("word", PAGES)
def test_addresses_and_web_pages_are_understood(word):
    """What a browser shows of a run can be pasted."""
    assert split(word) == PAGES[word]


@pytest.mark.parametrize("word", OTHER)
def test_other_words_are_no_addresses(word):
    """Paths, files on the web and buckets are read as before."""
    assert split(word) is None


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_has_a_service(scheme):
    """Each says which extra installs its client, and how to get access."""
    service = service_of(scheme)
    assert service.extra
    assert service.login
    assert SCHEMES[scheme][0].startswith(f"{scheme}:")


@pytest.fixture(params=["wandb", "swanlab", "comet", "clearml", "aim"])
def one_run(request, monkeypatch, tmp_path):
    """The address of one run, at a service whose client is made by hand."""
    if request.param == "wandb":
        fakes.wandb(monkeypatch, [fakes.WandbRun("r1")])
        return "wandb:me/nets/r1"
    getattr(fakes, request.param)(monkeypatch)
    (tmp_path / ".aim").mkdir()
    return {
        "swanlab": "swanlab:me/nets/r1", "comet": "comet:me/nets/e1", "clearml": "clearml:me/nets/b",
        "aim": f"aim:{tmp_path}#abc",
    }[request.param]  # fmt: skip


def test_a_run_is_read_with_its_settings(one_run):
    """Both losses, the settings by our names, and the address as the source."""
    (read,) = nndoctor.read(one_run)
    assert {"train/loss", "validation/loss"} <= set(read.series)
    assert len(read.series["validation/loss"]) == 30
    assert read.source == one_run
    assert 0.1 in (read.fact("setting:lr"), read.fact("setting:Args/lr"), read.fact("lr"))


def test_a_project_is_all_its_runs(monkeypatch):
    """Each by its name, and by its id where two are called alike; one that logged nothing is left out."""
    runs = [fakes.WandbRun("r1"), fakes.WandbRun("r2"), fakes.WandbRun("r3", rows=0)]
    runs[1].name = runs[0].name
    fakes.wandb(monkeypatch, runs)
    assert [one.source for one in nndoctor.read("wandb:me/nets")] == [
        "wandb:me/nets:sweet-r1 r1",
        "wandb:me/nets:sweet-r1 r2",
    ]
    assert len(nndoctor.read("https://wandb.ai/me/nets/sweeps/s1")) == 1


def test_a_value_that_is_not_finite_comes_through(monkeypatch):
    """SwanLab and W&B send NaN as a word."""
    fakes.swanlab(monkeypatch)
    report = nndoctor.diagnose("swanlab:me/nets/r1")
    assert "nan-loss" in {finding.name for finding in report.findings}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("Could not find run <Run me/nets/r9 (not found)>"), "not found"),
        (PermissionError("HTTP 403: permission denied"), "wandb login"),
        (RuntimeError("429 Client Error: Too Many Requests"), "limits how often"),
        (ConnectionError("Failed to resolve host"), "cannot be reached"),
        (RuntimeError("Failed to verify credentials: the service did not respond in time"), "cannot be reached"),
        (RuntimeError("the server said\nmany things"), "answered with an error (the server said)"),
    ],
)
def test_what_a_client_raises_becomes_one_line(error, expected):
    """What happened, and what to do."""
    line = error_line(error, "wandb:me/nets/r9", service_of("wandb"))
    assert line.startswith("wandb:me/nets/r9: ")
    assert expected in line
    assert "\n" not in line


def test_a_status_in_what_caused_an_error_counts():
    """Clients wrap the answer of the server in errors of their own."""

    class Answered(Exception):
        status_code = 429

    error = RuntimeError("it failed")
    error.__cause__ = Answered()
    assert "limits how often" in error_line(error, "a", service_of("comet"))


def test_a_defect_is_no_trouble_of_the_service(monkeypatch):
    """A TypeError is ours, and must be reported as such."""
    fakes.wandb(monkeypatch, [], error=TypeError("ours"))
    with pytest.raises(TypeError):
        nndoctor.read("wandb:me/nets/r1")


def test_without_a_key_nothing_waits_at_a_prompt(monkeypatch):
    """W&B's client would ask on the terminal."""
    fakes.wandb(monkeypatch, [fakes.WandbRun("r1")], key=None)
    with pytest.raises(UnreadableLog, match="WANDB_API_KEY"):
        nndoctor.read("wandb:me/nets/r1")


def test_a_missing_client_names_its_extra_and_other_logs_are_reported(tmp_path, monkeypatch, capsys):
    """Exit code 2, one line for each address, and the report on the file."""
    for name in ("wandb", "mlflow", "comet_ml"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{k},{2 * 0.9**k},{2 * 0.9**k + 0.02}\n" for k in range(30))
    Path("run.csv").write_text("epoch,train_loss,val_loss\n" + rows, encoding="utf-8")
    code = run(["diagnose", "wandb:a/b", "mlflow:a", "comet:a/b", "run.csv", "--format", "brief"])
    expected = capsys.readouterr()
    assert code == 2
    assert "pip install 'nndoctor[wandb]'" in expected.err
    assert "pip install 'nndoctor[mlflow]'" in expected.err
    assert "pip install 'nndoctor[comet]'" in expected.err
    assert '"source": "run.csv"' in expected.out


def test_a_file_of_such_a_name_is_the_file(tmp_path, monkeypatch):
    """What lies in this folder is what was meant."""
    monkeypatch.chdir(tmp_path)
    Path("wandb:x").write_text("epoch,loss\n0,3\n1,2\n2,1\n", encoding="utf-8")
    assert nndoctor.read("wandb:x")[0].path == "wandb:x"


def test_a_run_at_a_service_is_watched(monkeypatch, capsys):
    """Asked now and then, not at every look; what it has found by then counts."""
    made = fakes.WandbRun("r1", validation=[*fakes.FALL[:20], *[float("nan")] * 10])
    fakes.wandb(monkeypatch, [made])
    asked = []
    scan = made.scan_history
    monkeypatch.setattr(made, "scan_history", lambda: asked.append(1) or scan())
    assert run(["watch", "wandb:me/nets/r1", "--every", "0.1", "--for", "0.5"]) == 1
    assert "became NaN" in capsys.readouterr().out
    assert len(asked) == 1


def test_a_run_that_is_not_there_is_waited_for(monkeypatch, capsys):
    """And told at the end, with exit code 2."""
    fakes.wandb(monkeypatch, [])
    assert run(["watch", "wandb:me/nets/r9", "--every", "0.1", "--for", "0.3"]) == 2
    assert "Could not find run" in capsys.readouterr().err


@pytest.fixture
def sent(monkeypatch):
    """What Apprise, made by hand, was given to send; it knows ntfy and json."""
    messages = []

    class Apprise:
        def add(self, address):
            messages.append(address)
            return address.startswith(("ntfy://", "jsons://"))

        def notify(self, **message):
            messages.append(message)
            return True

    fakes.module(monkeypatch, "apprise", Apprise=Apprise, NotifyType=type("Kind", (), {"FAILURE": "f", "WARNING": "w"}))
    return messages


def test_a_finding_is_sent_to_an_address_once(monkeypatch, sent):
    """With the rule as the title."""
    fakes.wandb(monkeypatch, [fakes.WandbRun("r1", validation=[*fakes.FALL[:20], *[float("nan")] * 10])])
    run(["watch", "wandb:me/nets/r1", "--every", "0.1", "--for", "0.5", "--notify", "https://hooks.example.org/x"])
    address, message = sent
    assert address == "jsons://hooks.example.org/x"
    assert message["title"] == "nndoctor: nan-loss"
    assert message["body"].startswith("wandb:me/nets/r1")


@pytest.mark.usefixtures("sent")
def test_an_address_that_apprise_does_not_know_is_refused_before_the_watch(capsys):
    """Its token is not shown."""
    assert run(["watch", "x.csv", "--for", "0.1", "--notify", "nothing://secret"]) == 2
    expected = capsys.readouterr().err
    assert "nothing://…" in expected
    assert "secret" not in expected


def test_without_apprise_the_extra_is_named(monkeypatch, capsys):
    """Exit code 2."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert run(["watch", "x.csv", "--for", "0.1", "--notify", "ntfy://topic"]) == 2
    assert "nndoctor[notify]" in capsys.readouterr().err


def test_the_verdict_is_written_to_a_run_at_wandb(monkeypatch, capsys):
    """In the summary, and as a tag in place of an earlier one; other tags stay."""
    made = fakes.WandbRun("r1")
    made.tags = ["mine", "nndoctor:nan-loss"]
    fakes.wandb(monkeypatch, [made])
    found = nndoctor.diagnose("wandb:me/nets/r1").primary
    assert found is not None
    run(["diagnose", "wandb:me/nets/r1", "--annotate", "-q"])
    assert "wrote the verdict to 1 run" in capsys.readouterr().err
    summary, tags = made.saved
    assert tags == ["mine", f"nndoctor:{found.name}"]
    assert summary["nndoctor/finding"] == found.name
    assert summary["nndoctor/verdict"]


def test_a_verdict_on_a_file_cannot_be_written_back(tmp_path, monkeypatch, capsys):
    """Exit code 2, and the report all the same."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{k},{2 * 0.9**k},{2 * 0.9**k + 0.02}\n" for k in range(30))
    Path("run.csv").write_text("epoch,train_loss,val_loss\n" + rows, encoding="utf-8")
    assert run(["diagnose", "run.csv", "--annotate", "--format", "brief"]) == 2
    expected = capsys.readouterr()
    assert "did not come from a service" in expected.err
    assert '"source": "run.csv"' in expected.out


def test_a_password_in_an_address_is_not_shown():
    """Messages end up in the logs of a CI."""
    with pytest.raises(UnreadableLog) as raised:
        nndoctor.diagnose("optuna:postgresql://me:s3cret@db.example.org/studies")
    assert "me:***@db.example.org" in str(raised.value)
    assert "s3cret" not in str(raised.value)
