"""Texts as words: of items for recommenders, of people for computed traits. Pure."""

import re
import unicodedata

# Han and kana are written without spaces; pairs of characters find words without a dictionary
# (Nie, Gao, Zhang and Zhou 2000: about as good as a segmenter for retrieval).
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{UNSPACED}]+|(?:(?![{UNSPACED}])\w)+")
_IS_UNSPACED = re.compile(rf"[{UNSPACED}]")


def runs(text: str) -> list[tuple[str, bool]]:
    """The text without case cut at spaces, signs and changes of script; True: written without spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return [(run, bool(_IS_UNSPACED.match(run))) for run in _RUN.findall(plain)]


def tokenize(text: str) -> list[str]:
    """Words without case; of Chinese and Japanese every pair of neighboring characters."""
    found: list[str] = []
    for run, unspaced in runs(text):
        if len(run) > 1 and unspaced:
            found += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            found.append(run)
    return found
