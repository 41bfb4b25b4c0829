"""What a load on real input tells while it runs."""

from collections.abc import Callable

from personalization.demo.errors import LoadError
from personalization.importing.pipeline import Counts

Say = Callable[[str], object]


def require_all_taken(say: Say, what: str, counts: Counts) -> None:
    """Tells what was read and what was new of it. Raises LoadError for a refused row."""
    if counts.rejected:
        raise LoadError(f"{counts.rejected:,} {what} were rejected.")
    say(f"  {what}: {counts.read:,} rows, {counts.new:,} new")
