"""All lessons, in the order of the lectures."""

from __future__ import annotations

from collections.abc import Mapping

from nndoctor.lab.lesson import Lesson
from nndoctor.lab.lessons import activations, depth, initialization, inputs, rates, regularization, workloads

CHAPTERS: Mapping[str, tuple[Lesson, ...]] = {
    "initialization": initialization.LESSONS,
    "activations": activations.LESSONS,
    "inputs": inputs.LESSONS,
    "learning rates, optimizers, schedules": rates.LESSONS,
    "regularization": regularization.LESSONS,
    "depth and transfer": depth.LESSONS,
    "fine-tuning, reinforcement learning, generators": workloads.LESSONS,
}
LESSONS: Mapping[str, Lesson] = {lesson.name: lesson for chapter in CHAPTERS.values() for lesson in chapter}
