"""Chinese is complete: every string of the code is translated, and the compiled file is fresh."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
CATALOG = Path("locale/zh_Hans/LC_MESSAGES/django.po")
CATALOGS = [
    CATALOG,
    Path("locale/unfold/zh_Hans/LC_MESSAGES/django.po"),
    Path("locale/en/LC_MESSAGES/django.po"),
]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|(?<!%)%[sd]|\{\w*\}")


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.mark.parametrize("path", CATALOGS, ids=str)
def test_every_string_of_the_catalog_is_translated(path: Path) -> None:
    catalog = polib.pofile(str(ROOT / path))
    missing = [e.msgid for e in catalog if not e.obsolete and ("fuzzy" in e.flags or not all(texts(e)))]
    assert missing == []


@pytest.mark.parametrize("path", CATALOGS, ids=str)
def test_translations_keep_the_placeholders(path: Path) -> None:
    wrong = [
        entry.msgid
        for entry in polib.pofile(str(ROOT / path))
        for text in texts(entry)
        if set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGS, ids=str)
def test_the_compiled_catalog_is_fresh(path: Path) -> None:
    source = polib.pofile(str(ROOT / path))
    compiled = polib.mofile(str((ROOT / path).with_suffix(".mo")))
    expected = {(e.msgctxt, e.msgid): texts(e) for e in source if not e.obsolete}
    assert {(e.msgctxt, e.msgid): texts(e) for e in compiled} == expected


def test_no_text_hides_in_an_f_string_where_xgettext_may_not_see_it() -> None:
    catalog = {entry.msgid for entry in polib.pofile(str(ROOT / CATALOG))}
    hidden = [
        call.args[0].value
        for folder in ("personalization", "campaigns", "experiments", "recommender")
        for path in (ROOT / folder).rglob("*.py")
        if "mail_catcher" not in path.parts  # has words of its own
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "gettext")
        if call.args and isinstance(call.args[0], ast.Constant)
    ]
    assert [text for text in hidden if text not in catalog] == []


@pytest.mark.skipif(
    shutil.which("xgettext") is None, reason="needs GNU gettext (Debian: apt install gettext)"
)
def test_no_string_of_the_code_is_missing_in_the_catalog(tmp_path: Path) -> None:
    for folder in ("personalization", "campaigns", "experiments", "recommender", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "locale").mkdir()
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "zh_Hans", "--verbosity", "0"],
        cwd=tmp_path, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ""},
    )  # fmt: skip
    found = {e.msgid for e in polib.pofile(str(tmp_path / CATALOG))}
    kept = {e.msgid for e in polib.pofile(str(ROOT / CATALOG)) if not e.obsolete}
    assert sorted(found - kept) == []
