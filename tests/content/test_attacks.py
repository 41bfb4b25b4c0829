# ruff: noqa: E501
"""All attacks in one process of its own, so that what each takes can be told: time of the processor, memory.

The budget is 250 ms to compile, 250 ms to render, and 100 MB. Work is counted in fuel, not in time, so the same attack
ends at the same place everywhere; a slow machine is given four times as long here.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.content.attacks import BUDGET_MB, BUDGET_MS, attacks

ROOT = Path(__file__).resolve().parents[2]
SLOW_MACHINE = 4


@pytest.fixture(scope="module", params=["--as-nodes", "--as-functions"])
def told(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.content.attacks", request.param], cwd=ROOT, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "personalization.config.settings"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def test_there_are_more_than_two_hundred_unlike_attacks_of_every_class(told: list[dict[str, Any]]) -> None:
    unlike = {(body, repr(values)) for _kind, body, values, _blocks in attacks()}
    assert len(unlike) >= 250
    assert len(told) >= 250
    assert set(Counter(one["class"] for one in told)) == {"bomb", "markup", "tag", "attribute"}


def test_none_executes_leads_to_a_script_or_shows_python(told: list[dict[str, Any]]) -> None:
    assert [one for one in told if one["leaks"]] == []


def test_none_takes_long_or_much(told: list[dict[str, Any]]) -> None:
    long = SLOW_MACHINE * BUDGET_MS
    greedy = [
        one
        for one in told
        if one["compile_ms"] > long or one["render_ms"] > long or one["mb"] > BUDGET_MB
        or one["bytes"] > 2_000_000
    ]  # fmt: skip
    assert greedy == []


def test_each_attribute_stays_a_value(told: list[dict[str, Any]]) -> None:
    shown = [one for one in told if one["class"] == "attribute"]
    assert len(shown) >= 50
    assert all(one["bytes"] for one in shown)
