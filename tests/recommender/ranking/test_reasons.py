import pytest

from recommender.ranking.reasons import say_reason
from recommender.selectors import BECAUSE, BOUGHT, MODEL, PINNED, POPULAR, SIMILAR, VIEWED


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ({"kind": BECAUSE, "because": "Tea", "event": BOUGHT}, "Because you bought Tea"),
        ({"kind": BECAUSE, "because": "Tea", "event": VIEWED}, "Because you looked at Tea"),
        ({"kind": BECAUSE}, "Chosen for you"),  # the reason item is gone
        ({"kind": MODEL}, "Chosen for you"),
        ({"kind": SIMILAR}, "Popular with customers like you"),
        ({"kind": POPULAR}, "Popular with other customers"),
        ({"kind": PINNED}, "Our pick"),
    ],
)
def test_a_reason_is_said_to_the_customer(reason, sentence):
    assert say_reason(reason.pop("kind"), **reason) == sentence
