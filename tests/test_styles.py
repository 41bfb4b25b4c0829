"""Our style sheets say start and end, not left and right, so that pages turn over for languages that do."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHEETS = sorted((ROOT / "static/bespoke").glob("*.css"))
DECLARATION = re.compile(r"(?<=[{;])\s*([\w-]+)\s*:\s*([^;{}]+)")
SIDES = {"text-align", "float", "clear"}


def sided(css: str) -> list[str]:
    """Declarations that mean one side of the screen."""
    found = []
    for name, value in DECLARATION.findall(re.sub(r"/\*.*?\*/", "", css, flags=re.S)):
        parts = re.sub(r"\([^()]*\)", "()", value.removesuffix("!important").strip()).split()
        uneven = name in ("margin", "padding", "inset") and len(parts) == 4 and parts[1] != parts[3]
        is_side = re.search(r"(^|-)(left|right)(-|$)", name) or (
            name in SIDES and parts[0] in ("left", "right")
        )
        if not name.startswith("--") and (is_side or uneven):
            found.append(f"{name}: {value.strip()}")
    return found


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_style_sheet_names_no_side(sheet: Path) -> None:
    assert sided(sheet.read_text()) == []


def test_a_style_sheet_is_short_enough_to_read() -> None:
    lines = {sheet.name: len(sheet.read_text().splitlines()) for sheet in SHEETS}
    assert {name: n for name, n in lines.items() if n > 200} == {}


def test_what_names_a_side_is_found() -> None:
    css = (
        "a { left: 0; margin-left: 2px; padding: 1px 2px 3px 4px; text-align: right; border-left-color: red }"
        " b { padding-inline-start: 1px; margin: 0 calc(1px + 2px) 3px calc(1px + 2px); --left: 1px }"
    )
    assert [one.split(":")[0] for one in sided(css)] == [
        "left", "margin-left", "padding", "text-align", "border-left-color",
    ]  # fmt: skip
