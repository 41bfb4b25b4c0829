"""Cuts the shell's font of icons to those that are named somewhere: python icons.py UNFOLD TARGET.

An icon is a ligature of its name's letters. Every word between quotes or tags that is such a name counts, in
our sources and the shell's: a few too many are cheap (some 75 bytes each), one missing shows as a word.
"""

import re
import shutil
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[2]
OURS = ("templates", "static/bespoke", "personalization", "campaigns", "experiments", "recommender")
WORD = re.compile(r"""["'>}]\s*([a-z][a-z0-9_]*)\s*["'<{]""")
FONT = "Material-Symbols-Outlined.woff2"


def ligatures(font: TTFont) -> dict[str, str]:
    """Name of an icon → name of its glyph."""
    letters: dict[str, str] = {}
    for code, glyph in font.getBestCmap().items():
        letters.setdefault(glyph, chr(code).lower())
    found = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = table.ExtSubTable if lookup.LookupType == 7 else table
            for first, ends in getattr(table, "ligatures", {}).items():
                for end in ends:
                    glyphs = [first, *end.Component]
                    if all(glyph in letters for glyph in glyphs):
                        found["".join(letters[glyph] for glyph in glyphs)] = end.LigGlyph
    return found


def words(unfold: Path) -> set[str]:
    found: set[str] = set()
    theirs = ("templates", "static/unfold/js", "static/unfold/css")
    for folder in (*(ROOT / one for one in OURS), *(unfold / one for one in theirs)):
        for path in folder.rglob("*"):
            if path.suffix in (".py", ".html", ".js", ".css"):
                found.update(WORD.findall(path.read_text()))
    return found


def main(unfold: Path, target: Path) -> None:
    source = unfold / "static/unfold/fonts/material-symbols"
    font = TTFont(source / FONT)
    icons = ligatures(font)
    used = sorted(icons.keys() & words(unfold))
    # Without closure: the letters alone would bring back every icon there is.
    options = subset.Options(
        flavor="woff2", layout_closure=False, layout_features=["liga", "rlig"], hinting=False
    )
    cut = subset.Subsetter(options)
    cut.populate(glyphs=[icons[name] for name in used], text="".join(sorted(set("".join(used)))))
    cut.subset(font)
    target.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(target / FONT), options)
    for name in ("LICENSE", "styles.css"):
        shutil.copyfile(source / name, target / name)
    sys.stdout.write(f"{len(used)} icons, {(target / FONT).stat().st_size} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
