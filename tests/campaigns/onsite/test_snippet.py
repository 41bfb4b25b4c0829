"""The script that fills marked slots of a page weighs next to nothing."""

from django.conf import settings

SNIPPET = settings.BASE_DIR / "static" / "bespoke" / "onsite.js"


def test_the_snippet_is_smaller_than_five_kilobytes_before_any_compression():
    assert 0 < SNIPPET.stat().st_size < 5_000
