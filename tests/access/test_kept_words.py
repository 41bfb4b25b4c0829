from django.utils.translation import override

from personalization.access.kept_words import keep, tell

FEW = "It needs at least %(n)s customers."


def test_a_kept_sentence_is_told_in_the_language_of_the_reader():
    kept = keep(FEW, n=200)
    with override("en"):
        assert tell(kept) == "It needs at least 200 customers."
    with override("zh-hans"):
        assert "200" in tell(kept) and "customers" not in tell(kept)
        assert tell(keep("Waiting for a worker")) != "Waiting for a worker"


def test_what_was_never_a_message_id_is_told_as_it_is():
    with override("zh-hans"):
        assert tell("") == ""
        assert tell("HTTP 500: 100%\n{nothing}") == "HTTP 500: 100%\n{nothing}"


def test_what_would_not_fit_into_its_column_is_kept_in_english_and_whole_as_a_sentence():
    kept = keep(FEW, n="1" * 400)
    assert len(kept) == 300
    with override("zh-hans"):
        assert tell(kept) == kept and kept.startswith("It needs at least 111") and "{" not in kept
