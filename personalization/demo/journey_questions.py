"""Ten questions of a grocer's marketing about Complete Journey, as segments.

"In the last N days" is written with fixed days, counted back from 2 January 2018, where the data ends.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from personalization.demo.telling import Say
from personalization.segments import selectors as segments
from personalization.segments.models import Segment
from personalization.segments.services import save_segment

ACTOR = "complete-journey"
FILE = Path(__file__).with_name("journey_questions.json")


@dataclass(frozen=True)
class Question:
    name: str
    definition: dict[str, Any]


def questions() -> list[Question]:
    return [Question(**row) for row in json.loads(FILE.read_text())]


def save_questions(*, say: Say) -> list[int]:
    """Saves each as a segment (once, however often it is called) and answers how many customers are in."""
    counts = []
    for question in questions():
        there = Segment.objects.filter(name=question.name).first()
        save_segment(there, name=question.name, definition=question.definition, actor=ACTOR)
        counts.append(segments.count(question.definition, now=datetime.now(UTC)))
        say(f"  {question.name}: {counts[-1]:,} customers")
    return counts
