"""Every JSON example of docs/segments.md is compiled, run and put into words."""

import json
import re
from pathlib import Path

import pytest

from personalization.segments.describe import describe
from personalization.segments.operators import OPERATORS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "segments.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_the_page_runs(text, who) -> None:
    definition = json.loads(text)
    assert who(definition) == set()
    assert describe(definition).startswith("Customers where ")


def test_the_page_names_every_operator() -> None:
    assert [name for name in OPERATORS if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE] == []
