from django.utils import timezone, translation

from personalization.customers.trait_words import trait_words


def test_dates_and_truth_are_told_in_the_readers_language_and_zone():
    with translation.override("en"), timezone.override("Europe/Paris"):
        assert trait_words("2026-02-05T19:21:45+00:00") == "5 Feb 2026, 20:21"
        assert trait_words("2026-02-05") == "5 Feb 2026"
        assert trait_words(True) == "Yes"
    with translation.override("zh-hans"), timezone.override("Asia/Shanghai"):
        assert trait_words("2026-02-05T19:21:45Z") == "2026年2月6日 03:21"
        assert trait_words([False, "a"]) == "否, a"


def test_what_only_looks_like_a_date_stays_as_it_is():
    for text in ("2026-02-30", "2026-02-05 25:00", "20260205", "2026", "12345", ""):
        assert trait_words(text) == text
    assert trait_words(1234567.5) == "1234567.5"
