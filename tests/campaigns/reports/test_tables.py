from campaigns.reports.tables import with_sent


def test_the_funnel_begins_with_what_the_ledger_says_now():
    kept = {"forest": [], "funnel": [{"key": "a", "variant": "A", "counts": [3, 2, 1]}]}
    shown = with_sent(kept, {"variants": {"a": {"sent": 10}}})
    assert shown["funnel"][0]["counts"] == [10, 3, 2, 1]
    assert kept["funnel"][0]["counts"] == [3, 2, 1], "the kept report stays as it is"


def test_a_variant_that_nobody_got_yet_begins_with_nought():
    kept = {"funnel": [{"key": "a", "variant": "A", "counts": [0, 0, 0]}]}
    assert with_sent(kept, {"variants": {}})["funnel"][0]["counts"] == [0, 0, 0, 0]
