"""What the documentation says, checked against the code."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.S)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", prose)
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_named_exists(page: Path) -> None:
    text = page.read_text()
    commands = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert commands - set(get_commands()) == set()
    scripts = set(re.findall(r"(?<![\w/.])bin/([a-z]+)", text))
    assert {s for s in scripts if not (ROOT / "bin" / s).is_file()} == set()
    areas = set(re.findall(r"bin/bench ([a-z_]+)", text))
    assert {a for a in areas if not (ROOT / "benchmarks" / f"{a}.py").is_file()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_address_that_programs_call_exists(page: Path) -> None:
    named = re.findall(r"/(?:api/v1|v1|ofrep/v1|hooks)/[^\s`\"')?,;|]*", page.read_text())
    whole = {one.rstrip(".:") for one in named if "…" not in one}
    assert [one for one in sorted(whole) if not _leads_somewhere(one)] == []


def _leads_somewhere(address: str) -> bool:
    try:
        resolve(re.sub(r"\{[^}]*\}|<[^>]*>|<.*|\$\w+", "1", address))
    except Resolver404:
        return False
    return True


# Titles and examples stand in italics as well.
NO_NAMES = {
    "The Complete Journey", "Online Retail", "Sentiment Labelled Sentences", "Postman", "For parts",
    "Not again for 3 messages", "About 24 % will open it (8 of 10 such subjects: 19 % to 29 %)",
}  # fmt: skip


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "README.zh-CN.md"], ids=lambda p: p.name)
def test_every_name_of_a_page_or_button_stands_on_one(page: Path) -> None:
    """*Audience → Segments*: each part is a text of the product, or stands in one."""
    texts = (ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po").read_text()
    shown = texts.replace('"\n"', "").lower()
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.S)
    named = {" ".join(one.split()) for one in re.findall(r"(?<![*\w])\*([A-Z][^*]{1,80})\*(?![*\w])", prose)}
    parts = {part.strip("…. ") for one in named for part in one.split(" → ")} - NO_NAMES
    assert [part for part in sorted(parts) if part.lower() not in shown] == []


def test_the_figures_of_the_readme_come_from_the_benchmark_results() -> None:
    spec = importlib.util.spec_from_file_location("_table", ROOT / "benchmarks" / "_table.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, language in module.READMES.items():
        text = (ROOT / name).read_text()
        assert module.put_into(text, language) == text
    shown = {row["bench"] for row in tomllib.loads((ROOT / "benchmarks" / "table.toml").read_text())["rows"]}
    assert shown == {path.stem for path in (ROOT / "benchmarks" / "results").glob("*.json")}


def test_every_test_named_as_a_proof_exists() -> None:
    text = (ROOT / "docs" / "complaints.md").read_text()
    assert [int(n) for n in re.findall(r"^\| (\d+) \|", text, flags=re.M)] == list(range(1, 21))
    missing = []
    for row in re.findall(r"^\| \d+ \|.*$", text, flags=re.M):
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named, row[:60]
        missing += [f"{path}::{name}" for path, name in named if not _has_test(ROOT / path, name)]
    assert missing == []


def _has_test(path: Path, name: str) -> bool:
    return path.is_file() and re.search(rf"^\s*def {name}\(", path.read_text(), flags=re.M) is not None
