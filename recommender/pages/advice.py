"""What each recommender is good for, in words for a campaign manager. One entry for each algorithm."""

from dataclasses import dataclass
from importlib.util import find_spec

from django.utils.translation import gettext, gettext_noop

from recommender import algorithms

# The module whose presence says that an extra is installed.
MODULES = {"deep": "torch"}


@dataclass(frozen=True)
class Advice:
    """Message ids: what the algorithm is good for, and when to take another."""

    good_for: str
    less_for: str


@dataclass(frozen=True)
class Row:
    """One line of the help, in the reader's language. `extra`: what has to be installed, empty for none."""

    name: str
    title: str
    good_for: str
    less_for: str
    extra: str
    is_installed: bool


ADVICE = {
    "repurchase": Advice(
        gettext_noop("People buy the same things again: groceries, pet food, coffee."),
        gettext_noop("Showing something new: it only brings back what a customer already bought."),
    ),
    "ease": Advice(
        gettext_noop("People look for something new. Usually the strongest on up to some 20,000 items."),
        gettext_noop("Very large catalogs: its memory grows with the square of the number of items."),
    ),
    "item_knn": Advice(
        gettext_noop("Reasons that anybody believes: “because you bought …”. Also good with little data."),
        gettext_noop("Items that share no customer with any other item: they are never recommended."),
    ),
    "als": Advice(
        gettext_noop("Large catalogs and many customers; its files are small."),
        gettext_noop("Little data; and it needs tuning, so give it some time for that."),
    ),
    "bpr": Advice(
        gettext_noop("Large catalogs where only the order of the list matters."),
        gettext_noop("A quick start: it has to be tuned, and ALS or EASE are often as good."),
    ),
    "user_knn": Advice(
        gettext_noop("A shop where customers fall into clear groups of taste, with not too many of them."),
        gettext_noop("Hundreds of thousands of customers: comparing them all takes long."),
    ),
    "popular": Advice(
        gettext_noop("The first days of a shop, and as the measure of all others."),
        gettext_noop("Being personal: everybody gets the same list."),
    ),
    "trending": Advice(
        gettext_noop("Assortments and tastes that change fast: fashion, news, seasons."),
        gettext_noop("Being personal: everybody gets the same list."),
    ),
    "hybrid": Advice(
        gettext_noop("Several situations at once: it learns how much to trust each of its parts."),
        gettext_noop("A quick training: it has to train all its parts."),
    ),
    "sasrec": Advice(
        gettext_noop("What comes next depends on what came just before: series, songs, courses, baskets."),
        gettext_noop("Few events for each customer, or when the order says nothing."),
    ),
    "gru": Advice(
        gettext_noop("What comes next depends on what came just before, in short visits."),
        gettext_noop("Few events for each customer, or when the order says nothing."),
    ),
    "autoencoder": Advice(
        gettext_noop("Many customers with many events each, and tastes that mix."),
        gettext_noop("Little data, or when a reason has to be given."),
    ),
    "mlp": Advice(
        gettext_noop("Very many customers and items, where a network has enough to learn from."),
        gettext_noop("Little data, or when a reason has to be given."),
    ),
    "contrastive": Advice(
        gettext_noop("Many customers with few events each: it learns from what is alike."),
        gettext_noop("Little data, or when a reason has to be given."),
    ),
    "cnn": Advice(
        gettext_noop("Goods chosen by their looks, with good pictures, and new ones every week."),
        gettext_noop("Goods whose pictures say little, or items without pictures."),
    ),
    "image": Advice(
        gettext_noop("New items that nobody bought yet, chosen by their looks."),
        gettext_noop("Goods whose pictures say little, or items without pictures."),
    ),
    "tfidf": Advice(
        gettext_noop("New items that nobody bought yet: it reads names, descriptions and categories."),
        gettext_noop("Surprises: it recommends what is described alike."),
    ),
    "word_embedding": Advice(
        gettext_noop("New items that nobody bought yet, described in different words for the same thing."),
        gettext_noop("Short or missing descriptions."),
    ),
    "naive_bayes": Advice(
        gettext_noop("New items, for customers with a clear liking of brands, categories or words."),
        gettext_noop("Customers with only a handful of events."),
    ),
    "decision_tree": Advice(
        gettext_noop("New items, when rules like “this brand, below this price” describe the taste."),
        gettext_noop("Customers with only a handful of events."),
    ),
    "tensor": Advice(
        gettext_noop("What is wanted depends on the hour, the weekday or the device."),
        gettext_noop("Shops where it does not: then it is only slower."),
    ),
    "svdpp": Advice(
        gettext_noop("Customers give stars, and the expected rating is to be shown."),
        gettext_noop("Shops without ratings; and for lists, models of purchases are usually better."),
    ),
    "svd": Advice(
        gettext_noop("Customers give stars, very many of them: quicker than SVD++."),
        gettext_noop("Shops without ratings; and for lists, models of purchases are usually better."),
    ),
    "pmf": Advice(
        gettext_noop("Customers give stars: the plain model, to compare others with."),
        gettext_noop("Shops without ratings; SVD is usually better."),
    ),
    "bpmf": Advice(
        gettext_noop("Customers give stars, few each: it also says how sure it is."),
        gettext_noop("Shops without ratings, or with millions of them: it takes long."),
    ),
    "nmf": Advice(
        gettext_noop("Customers give stars, and you want to see topics of interest that can be read."),
        gettext_noop("Shops without ratings; SVD++ guesses them better."),
    ),
    "rating_hybrid": Advice(
        gettext_noop("Customers give stars, and the guess has to be as near as possible."),
        gettext_noop("A quick training: it has to train all its parts."),
    ),
}


def table() -> list[Row]:
    """Every algorithm there is, those to try first on top."""
    order = {name: place for place, name in enumerate(ADVICE)}
    found = sorted(algorithms.names(), key=lambda name: (order.get(name, len(order)), name))
    return [row(name) for name in found]


def row(name: str) -> Row:
    """Raises UnknownAlgorithmError."""
    kind = algorithms.get(name)
    advice = ADVICE.get(name)
    return Row(
        name,
        gettext(kind.title),
        gettext(advice.good_for) if advice else "",
        gettext(advice.less_for) if advice else "",
        kind.extra,
        is_installed(kind.extra),
    )


def is_installed(extra: str) -> bool:
    return not extra or find_spec(MODULES.get(extra, extra)) is not None
