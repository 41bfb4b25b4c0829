"""docs/settings.md names every setting, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text()


def test_every_setting_is_described() -> None:
    source = (ROOT / "personalization" / "config" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\("([A-Z_]+)"', source))
    assert len(read) > 20
    assert {name for name in read if f"`{name}`" not in PAGE} == set()


def test_every_variable_of_the_start_is_described() -> None:
    folder = ROOT / "personalization" / "config" / "supervisor"
    source = "".join(path.read_text() for path in folder.rglob("*.py"))
    read = set(re.findall(r'environ\.get\("([A-Z_]+)"', source)) - {"PATH"}
    assert {name for name in read if f"`{name}`" not in PAGE} == set()
