"""Countries as people write them."""

import pytest

from personalization.context.countries import code_of
from personalization.customers.errors import InvalidTraits
from personalization.customers.traits import check_column


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("United Kingdom", "GB"),
        ("united states", "US"),
        ("Deutschland", "DE"),
        ("Frankreich", "FR"),
        ("España", "ES"),
        ("中国", "CN"),
        ("香港", "HK"),
        ("Czech Republic", "CZ"),
        ("USA", "US"),
        ("GBR", "GB"),
        ("276", "DE"),
    ],
)
def test_a_country_is_known_by_its_names_and_codes(written, code):
    assert code_of(written) == code
    assert check_column("country", written) == code


@pytest.mark.parametrize("written", ["Narnia", "Europe", "the", "Channel Islands"])
def test_what_is_no_country_is_refused(written):
    assert code_of(written) == ""
    with pytest.raises(InvalidTraits, match="neither the name"):
        check_column("country", written)
