"""Writes the rows of benchmarks/results into the table of both READMEs: `python benchmarks/_table.py`.

A test checks that they hold exactly this, so no figure in it is typed by hand.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"


def table() -> str:
    """One line per ratio: benchmark, what is compared, how many times."""
    lines = ["| Benchmark | Compared | Ratio |", "|---|---|---|"]
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        row = json.loads(path.read_text())
        for name, ratio in row["ratios"].items():
            lines.append(f"| `bin/bench {row['name']}` | {name.replace('_', ' ')} | {ratio:.2f} |")
    return "\n".join(lines)


def put_into(readme: str) -> str:
    """The README's text with the table between its two markers."""
    return re.sub(f"{START}.*{END}", lambda _: f"{START}\n{table()}\n{END}", readme, flags=re.S)


if __name__ == "__main__":
    for name in ("README.md", "README.zh-CN.md"):
        path = ROOT / name
        path.write_text(put_into(path.read_text()))
