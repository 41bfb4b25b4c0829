"""The data sets that the quality rows are measured on, read from a folder and cut as the papers cut them."""

import tarfile
import tempfile
from functools import cached_property
from pathlib import Path

import _run  # noqa: F401  it puts the project before this folder
import numpy as np

from recommender.algorithms import ItemFeatures
from recommender.evaluation import Log, Split, held_split, k_folds, leave_last_out, ratio_split
from recommender.evaluation.cold_start import ColdStart, cold_start_split
from recommender.inputs.files import read_folds, read_items, read_log

MOVIES, JOURNEY = "ml-100k.tar.xz", "completejourney-transactions.parquet"
PRODUCTS = "completejourney-products.parquet"
FETCH = f"""Without --data only the rows on made data are measured. The others need, in one folder:
  {MOVIES}   MovieLens-100K: https://files.grouplens.org/datasets/movielens/ml-100k.zip, its files packed
                   without the folder: tar -cJf {MOVIES} -C ml-100k .
  completejourney-transactions.parquet, completejourney-products.parquet   The Complete Journey of 84.51°:
                   https://www.8451.com/area51, or the R package completejourney, written with arrow."""
RATING_COLUMNS = ["0", "1", "2", "3"]
FEWEST_BUYERS, FIRST_TEST_WEEK = 20, 49
DAYPARTS = np.array(["night", "morning", "noon", "evening"])


class Files:
    """The data sets of a folder, each read once and only when a row asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _movies(self) -> Path:
        self._unpacked = tempfile.TemporaryDirectory()  # it lives as long as this object
        with tarfile.open(self.folder / MOVIES) as archive:
            archive.extractall(self._unpacked.name, filter="data")
        return Path(self._unpacked.name)

    @cached_property
    def ratings(self) -> Log:
        """100,000 ratings of 943 users."""
        return read_log(self._movies / "u.data", columns=RATING_COLUMNS).log

    @cached_property
    def taken(self) -> Log:
        """The same without the stars: who rated what and when."""
        return read_log(self._movies / "u.data", columns=["0", "1", "-", "3"]).log

    @cached_property
    def k_folds(self) -> list[Split]:
        return k_folds(self.ratings, n=5, seed=0)

    @cached_property
    def official_folds(self) -> list[Split]:
        pairs = [(self._movies / f"u{n}.base", self._movies / f"u{n}.test") for n in range(1, 6)]
        return [
            held_split(f"u{number}", file.log, held)
            for number, (file, held) in enumerate(read_folds(pairs, columns=RATING_COLUMNS), start=1)
        ]

    @cached_property
    def ratio(self) -> Split:
        """A fifth of each user's films is hidden at random."""
        return ratio_split(self.taken, test_share=0.2, seed=0)

    @cached_property
    def last_out(self) -> Split:
        return leave_last_out(self.taken)

    @cached_property
    def titles(self) -> list[str]:
        """By item number; films are numbered in the order of their ids."""
        lines = (self._movies / "u.item").read_text(encoding="latin-1").splitlines()
        return [line.split("|")[1] for line in lines]

    @cached_property
    def _journey(self) -> tuple[Log, np.ndarray]:
        """Lines of products that at least 20 households bought, and the products' ids."""
        file = read_log(
            self.folder / JOURNEY,
            columns=["household_id", "product_id", "quantity", "transaction_timestamp"],
            context=["week"], is_parquet=True,
        )  # fmt: skip
        log, hours = file.log, file.log.timestamps // 3600
        pairs = np.unique(log.items * log.shape[0] + log.users)
        buyers = np.bincount(pairs // log.shape[0], minlength=log.shape[1])
        kept = np.flatnonzero(buyers >= FEWEST_BUYERS)
        context = {
            "daypart": DAYPARTS[hours % 24 // 6],
            "weekday": np.where(((hours // 24 + 3) % 7) >= 5, "weekend", "weekday"),
            "week": log.context["week"].astype(np.int64),
        }
        log = Log(log.users, log.items, log.weights, log.timestamps, log.shape, context)
        log = log.only(np.isin(log.items, kept) & (log.weights > 0))
        shape = (log.shape[0], len(kept))
        items = np.searchsorted(kept, log.items)
        return Log(log.users, items, log.weights, log.timestamps, shape, log.context), file.item_ids[kept]

    @cached_property
    def groceries(self) -> Split:
        """Weeks 1 to 48 train, 49 to 53 are to be found; what is bought again counts."""
        return self._weeks(self._journey[0])

    @cached_property
    def groceries_in_context(self) -> Split:
        """The same, the events with daypart and kind of day."""
        log = self._journey[0]
        context = {name: log.context[name] for name in ("daypart", "weekday")}
        return self._weeks(log, context)

    def _weeks(self, log: Log, context: dict[str, np.ndarray] | None = None) -> Split:
        held = log.context["week"] >= FIRST_TEST_WEEK
        bare = Log(log.users, log.items, log.weights, log.timestamps, log.shape, context or {})
        return held_split("weeks", bare, held, new_only=False)

    @cached_property
    def new_groceries(self) -> ColdStart:
        """A fifth of the products is hidden from training altogether."""
        log = self._journey[0]
        return cold_start_split(Log(log.users, log.items, log.weights, log.timestamps, log.shape))

    @cached_property
    def about_groceries(self) -> ItemFeatures:
        return read_items(self.folder / PRODUCTS, item_column="product_id", item_ids=self._journey[1])
