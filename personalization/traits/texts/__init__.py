"""What free texts of customers are about: language, topics, sentiment, keywords. Pure.

What is learned is a JSON object of words and numbers. A word enters only when enough different customers used
it, so that nothing learned names anybody.
"""

from typing import NamedTuple


class Text(NamedTuple):
    """`rating`: the stars that came with it, 0 (worst) to 1 (best); None without."""

    customer: int
    text: str
    rating: float | None = None


class TooFewTexts(Exception):
    """There are too few texts, customers or ratings to tell anything."""
