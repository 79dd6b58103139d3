"""Coding agents: the skill, and the MCP server as a client of the official SDK sees it."""

from __future__ import annotations

import asyncio
import json

import pytest

from nndoctor.core.errors import UsageError
from nndoctor.integrations.mcp_server import MAX_ANSWER, Tools, bounded
from nndoctor.integrations.skill import FOLDERS, SKILL, skill_path

GOOD = "epoch,loss,val_loss\n" + "".join(f"{k},{2.3 * 0.9**k:.4f},{2.4 * 0.9**k + 0.1:.4f}\n" for k in range(40))
NAN = "epoch,loss,val_loss\n0,2.3,2.4\n1,2.0,2.2\n2,1.9,2.1\n" + "".join(f"{k},nan,nan\n" for k in range(3, 20))


@pytest.fixture
def root(tmp_path):
    """A folder with a healthy log and one of a run that ended in NaN."""
    (tmp_path / "good.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "nan.csv").write_text(NAN, encoding="utf-8")
    return tmp_path


def test_diagnose_answers_with_a_line_a_run(root):
    """As --format brief."""
    lines = Tools(root).diagnose(["."]).splitlines()
    assert {json.loads(line)["finding"] for line in lines} == {None, "nan-loss"}


@pytest.mark.parametrize("path", ["../elsewhere.csv", "/etc/passwd", "https://example.com/run.csv"])
def test_paths_out_of_the_root_are_refused(root, path):
    """So are addresses."""
    with pytest.raises(UsageError, match="outside of the folder"):
        Tools(root).diagnose([path])


def test_addresses_are_read_only_where_the_server_was_started_so(root):
    """An agent must not make the server reach out by itself."""
    with pytest.raises(UsageError, match="--allow-addresses"):
        Tools(root).diagnose(["wandb:me/nets/r1"])
    assert "wandb:me/nets/r1" in Tools(root, allow_addresses=True).diagnose(["wandb:me/nets/r1"])


def test_a_link_out_of_the_root_is_refused(root, tmp_path_factory):
    """Links are followed before the path is checked."""
    outside = tmp_path_factory.mktemp("outside") / "run.csv"
    outside.write_text(GOOD, encoding="utf-8")
    (root / "link.csv").symlink_to(outside)
    with pytest.raises(UsageError, match="outside of the folder"):
        Tools(root).diagnose(["link.csv"])


def test_a_rule_that_looks_like_an_option_is_no_option(root):
    """`--help` is an unknown rule."""
    assert "no rule" in Tools(root).explain("--version")


def test_of_many_runs_the_gravest_come_first(root):
    """Below a line that counts; each page comes from one answer, whatever happens in the folder in between."""
    for k in range(8):
        (root / f"fine{k}.csv").write_text(GOOD, encoding="utf-8")
    tools = Tools(root)
    first = tools.diagnose(["."])
    total, worst = map(json.loads, first.splitlines()[:2])
    assert total == {"runs": 10, "failing": 1, "unreadable": 0, "findings": {"none": 9, "nan-loss": 1}}
    assert worst["finding"] == "nan-loss"
    (root / "nan.csv").unlink()
    assert len(first.encode()) <= MAX_ANSWER
    assert tools.diagnose(["."], offset=int(first.rpartition("=")[2].rstrip("]")))


def test_the_gate_answers_an_agent(root):
    """With the seeds that would tell."""
    found = json.loads(Tools(root).compare(["good.csv", "good.csv"], gate=True))
    assert found["gate"] == "within noise"


def test_a_search_is_answered_with_its_best_trials_and_what_matters(root):
    """By the score that is asked for; plots would only fill the context."""
    for k in range(12):
        (root / f"lr={10.0**-k:g},bs={8 * (1 + k % 2)}.csv").write_text(GOOD, encoding="utf-8")
    found = json.loads(Tools(root).sweep(["lr=*.csv"], by="val_loss best"))
    assert (found["score"], found["trials"], len(found["best"])) == ("validation/loss best", 12, 3)
    assert set(found["explains"]) == {"lr", "batch_size"}
    assert {"score", "settings", "source"} <= found["best"][0].keys()


def test_answers_are_bounded_and_paged():
    """Two thousand runs give pages that together are the whole."""
    text = "\n".join(f"läne {k}" for k in range(2000))
    pages, offset = [], 0
    while True:
        page = bounded(text, offset)
        assert len(page.encode()) <= MAX_ANSWER
        body, _, more = page.rpartition("\n[")
        if "call again with offset=" not in more:
            pages.append(page)
            break
        pages.append(body)
        offset = int(more.rpartition("=")[2].rstrip("]"))
    assert "".join(pages) == text


def test_the_official_client_lists_and_calls_the_tools(root):
    """Over the protocol; sanity is offered only with allow_run."""
    pytest.importorskip("mcp", reason="the MCP server needs the mcp extra")
    from mcp import Client

    from nndoctor.integrations.mcp_server import server

    async def talk(*, allow_run: bool):
        async with Client(server(root, allow_run=allow_run)) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            answer = await client.call_tool("diagnose", {"paths": ["nan.csv"]})
            refused = await client.call_tool("diagnose", {"paths": ["../elsewhere.csv"]})
            assert "outside of the folder" in refused.content[0].text
            return tools, answer.content[0].text

    tools, text = asyncio.run(talk(allow_run=False))
    assert tools == {"diagnose", "prognosis", "compare", "sweep", "explain"}
    assert json.loads(text)["finding"] == "nan-loss"
    assert "sanity" in asyncio.run(talk(allow_run=True))[0]


def test_the_skill_names_only_commands_that_exist():
    """A skill that teaches wrong commands is worse than none."""
    from nndoctor.cli.panels import ORDER

    used = {line.split("`nndoctor ")[1].split()[0].strip("`:") for line in SKILL.splitlines() if "`nndoctor " in line}
    assert used <= set(ORDER)


@pytest.mark.parametrize("agent", FOLDERS)
def test_the_skill_goes_where_the_agent_looks(tmp_path, agent):
    """One folder for each agent."""
    assert skill_path(agent, tmp_path).parts[-2:] == ("nndoctor", "SKILL.md")
