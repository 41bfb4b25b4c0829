"""Writes what `table.toml` names of benchmarks/results into both READMEs: `python benchmarks/_table.py`.

A test checks that they hold exactly this, so no figure in them is typed by hand.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent
START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"
READMES = {"README.md": "en", "README.zh-CN.md": "zh"}
HEADS = {"en": ("What", "Measured", "Goal"), "zh": ("内容", "测得", "目标")}
UNITS = {"x": "{:.2f} ×", "%": "{:.0%}", "ms": "{:.1f} ms", "s": "{:.2f} s", "": "{:,g}"}


def table(language: str) -> str:
    """One line per row of `table.toml`. Raises KeyError where a benchmark no longer has the value."""
    what, measured, goal = HEADS[language]
    lines = [f"| `bin/bench` | {what} | {measured} | {goal} |", "|---|---|--:|--:|"]
    named = ""
    for row in tomllib.loads((BENCHMARKS / "table.toml").read_text())["rows"]:
        result = json.loads((BENCHMARKS / "results" / f"{row['bench']}.json").read_text())
        command = row.get("command", row["bench"])
        bench, named = "" if command == named else f"`{command}`", command
        lines.append(f"| {bench} | {row[language]} | {' | '.join(_cells(row, result))} |")
    return "\n".join(lines)


def _cells(row: dict[str, str], result: dict[str, Any]) -> tuple[str, str]:
    """What was measured, and its goal with a mark where it is reached."""
    if row["value"] == "goals":
        reached = _reached(result["figures"])
        return f"**{sum(reached)}**", f"{len(reached)} {_mark(all(reached))}"
    value: Any = result
    for part in row["value"].split("/"):
        value = value[part]
    form = UNITS[row.get("unit", "")]
    if "goal" not in row:
        return f"**{form.format(value)}**", ""
    sign, bound = row["goal"].split()
    is_reached = value >= float(bound) if sign == ">=" else value <= float(bound)
    shown = f"{float(bound):g}" if row.get("unit") in ("ms", "s", "x") else form.format(float(bound))
    return f"**{form.format(value)}**", f"{'≥' if sign == '>=' else '≤'} {shown} {_mark(is_reached)}"


def _reached(figures: dict[str, Any]) -> list[bool]:
    """Of a benchmark whose figures come in groups, each with a goal of its own."""
    groups = [group.get("figures", []) for group in figures.values() if isinstance(group, dict)]
    return [row["reached"] for group in groups for row in group if row["reached"] is not None]


def _mark(is_reached: bool) -> str:
    return "✓" if is_reached else "✗"


def put_into(readme: str, language: str) -> str:
    """The README's text with the table between its two markers."""
    return re.sub(f"{START}.*{END}", lambda _: f"{START}\n{table(language)}\n{END}", readme, flags=re.S)


if __name__ == "__main__":
    for name, language in READMES.items():
        path = BENCHMARKS.parent / name
        path.write_text(put_into(path.read_text(), language))
