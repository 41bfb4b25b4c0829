"""How often the sentiment of texts is told right, beside a peer, on labelled texts of yours.

    python benchmarks/_sentiment.py FILE... [--peer vader|snownlp] [--learn 1000]

Each FILE is a CSV, or has tabs, with two columns: the text and 1 (praise) or 0 (complaint), in any order, a
header or none. Five times a fifth is kept back; the rest, or only so many of it (`--learn`), is what the
shop has with stars. No data is shipped: docs/customers.md says on which public texts its figures were
measured. The peers are `vaderSentiment` (English; Hutto and Gilbert 2014) and `snownlp` (Chinese), from
PyPI.
"""

import argparse
import csv
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path

import numpy as np

from personalization.traits.texts import Text, TooFewTexts
from personalization.traits.texts.sentiment import NEGATIVE, POSITIVE, learn_sentiment

FOLDS, SEED, FLOOR, Z95 = 5, 1, 3, 1.96
Row = tuple[str, bool]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--peer", choices=["vader", "snownlp"])
    parser.add_argument("--learn", type=int, nargs="*", default=[0], help="texts with stars; 0: all others")
    args = parser.parse_args()
    rows = [row for file in args.files for row in read(file)]
    print(f"{len(rows):,} texts, {sum(praises for _text, praises in rows):,} of them praise")
    for most in args.learn:
        told = tell_unseen(rows, most)
        show(f"ours, learned from {most or 'all others'}", rows, told)
    if args.peer:
        peer = vader() if args.peer == "vader" else snownlp()
        show(args.peer, rows, [peer(text) for text, _praises in rows])


def read(path: Path) -> list[Row]:
    found = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        tabs = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if "\t" in file.readline() else {}
        file.seek(0)
        for cells in csv.reader(file, **tabs):
            labels = [at for at, cell in enumerate(cells) if cell.strip() in ("0", "1")]
            if len(cells) == 2 and labels:
                found.append((cells[1 - labels[-1]], cells[labels[-1]].strip() == "1"))
    return found


def tell_unseen(rows: Sequence[Row], most: int) -> list[str | None]:
    """Each text told by what was learned without its fold; "" where too little was learned to tell any."""
    order = np.random.default_rng(SEED).permutation(len(rows))
    told: list[str | None] = [""] * len(rows)
    for fold in range(FOLDS):
        unseen = set(order[fold::FOLDS].tolist())
        seen = [at for at in order.tolist() if at not in unseen][: most or None]
        try:
            learned = learn_sentiment([Text(at, rows[at][0], float(rows[at][1])) for at in seen], floor=FLOOR)
        except TooFewTexts:
            continue
        for at in unseen:
            told[at] = learned.tell(Text(at, rows[at][0]))
    return told


def show(name: str, rows: Sequence[Row], told: Sequence[str | None]) -> None:
    decided = [
        said == (POSITIVE if praises else NEGATIVE)
        for said, (_text, praises) in zip(told, rows, strict=True)
        if said in (POSITIVE, NEGATIVE)
    ]
    silent = sum(said == "" for said in told) / len(told)
    print(
        f"{name:32} tells {len(decided) / len(told):.3f}, of these right {interval(decided)}; "
        f"cannot tell {told.count(None) / len(told):.3f}, no model {silent:.3f}"
    )


def interval(right: Sequence[bool]) -> str:
    """Share with its 95 % interval by Wilson (1927)."""
    n = len(right)
    if not n:
        return "–"
    share = sum(right) / n
    middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n)) / (1 + Z95**2 / n)
    return f"{share:.3f} [{middle - half:.3f}, {middle + half:.3f}]"


def vader() -> Callable[[str], str | None]:
    """With the bounds that its authors give."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    compound = SentimentIntensityAnalyzer().polarity_scores
    return lambda text: said(compound(text)["compound"], 0.05, -0.05)


def snownlp() -> Callable[[str], str | None]:
    """It gives a chance; nothing between the same bounds as ours."""
    from snownlp import SnowNLP

    return lambda text: said(SnowNLP(text).sentiments if text.strip() else 0.5, 0.65, 0.35)


def said(score: float, praise: float, complaint: float) -> str | None:
    return POSITIVE if score >= praise else NEGATIVE if score <= complaint else None


if __name__ == "__main__":
    main()
