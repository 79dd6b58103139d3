"""Lines of a game that count its episodes, put into plain words: `Episode 10, score: 20`."""

from __future__ import annotations

import re

from nndoctor.readers.text.marks import STAMP
from nndoctor.readers.text.windows import without_windows

HEAD_LINES = 400  # of a log, by which it is judged what it counts
EPISODE = re.compile(
    r"^\W*Ep(?P<isode>isode)?\s*[:#=]?\s*\[?(?P<at>\d+)(?:/\d+)?\]?(?=.*\b(?:score|reward|return|ep_r|length|(?:avg|average)\s*:|(?(isode)loss\b.*\b(?:eps|epsilon|ε)\s*[:=]|(?!)))(?:\b|(?<=[:=])))",
    re.IGNORECASE,
)
# Episodes count, not their steps.
OF_STEPS = re.compile(r"\b(?:total |env )?steps?\s*[:=]\s*[\d,]+(?![\d.])", re.IGNORECASE)
AVERAGE_ALONE = re.compile(r"\b(?:avg|average)(?=\s*:)", re.IGNORECASE)  # `Episode 100   Avg: -475.55`
LENGTH_OF_EPISODES = re.compile(r"\b(?P<mean>average |avg |mean )(?:episode )?length\b", re.IGNORECASE)
SCORE_OF_EPISODES = re.compile(
    r"\b(?P<mean>average |avg |mean )?(?:total )?(?:score|reward|return)\b(?!_)", re.IGNORECASE
)
LOSS = re.compile(r"\b(?<!_)(?:avg |average )?loss\b(?=\s*[:=])", re.IGNORECASE)  # of a game whose reward is not logged
POINTS = re.compile(r"(?<!average )(?<!avg )(?<!mean )\b(?:total )?score\b(?!_)(?=\s*[:=])", re.IGNORECASE)
REWARD = re.compile(r"\b(?:reward|return)\b(?!_)(?=\s*[:=])", re.IGNORECASE)
# `Total reward in episode 73 is 3.8`
OF_AN_EPISODE = re.compile(
    r"^\W*(?:(?:total|average|mean|final|cumulative) )?(?P<name>rewards?|returns?|scores?)\s+(?:in|of|for|at|after)\s+(?:the\s+)?episode\s*#?\s*(?P<at>\d+)"
    r"\s*(?:is|was|=|:)\s*(?=[-+\d.n])",
    re.IGNORECASE,
)


def episode(line: str) -> str | None:
    """`Episode 10, score: 20`: what a game is played for is its reward, by whatever name; its mean over episodes is kept."""
    line = without_windows(STAMP.sub("", line, count=1))
    if found := OF_AN_EPISODE.match(line):
        return f"step {found['at']} reward: {line[found.end() :]}"
    found = EPISODE.match(line)
    if found is None:
        return None
    rest = AVERAGE_ALONE.sub("average reward", OF_STEPS.sub(" ", line[found.end() :]))
    rest = _without_points(rest)
    if len(names := {match["mean"] is None: match for match in SCORE_OF_EPISODES.finditer(rest)}) > 1:
        rest = f"{rest[: names[True].start()]}last{rest[names[True].end() :]}"  # of one episode alone
    rest = SCORE_OF_EPISODES.sub("reward", rest) if names else LOSS.sub("q_loss", rest)
    return f"step {found['at']} {LENGTH_OF_EPISODES.sub('episode length', rest)}"


def _without_points(text: str) -> str:
    """A line that says the reward, too, with the score of the game under another name: it is the reward that the agent learns from."""
    return POINTS.sub("points", text) if REWARD.search(text) else text


def counts_episodes(start: str) -> bool:
    """Whether the lines of a text are of the episodes of a game."""
    return any(episode(line) is not None for line in start.split("\n", HEAD_LINES)[:HEAD_LINES] if "ep" in line.lower())
