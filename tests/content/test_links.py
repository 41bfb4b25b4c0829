"""Links of rendered mail."""

import pytest

from personalization.content.links import add_at_end, is_allowed_url, rewrite_links


def track(url):
    return f"https://t.example/?u={url}"


def test_web_links_are_rewritten_with_their_entities():
    html = '<a class="b" href="https://s.example/?a=1&amp;b=2" style="x">y</a>'
    seen = []
    out = rewrite_links(html, lambda url: seen.append(url) or "https://t.example/?x=1&y=2")
    assert seen == ["https://s.example/?a=1&b=2"]
    assert out == '<a class="b" href="https://t.example/?x=1&amp;y=2" style="x">y</a>'


@pytest.mark.parametrize("link", [
    '<a href="mailto:a@b.example">x</a>', '<a href="tel:+1">x</a>', '<a href="#top">x</a>',
    '<a href="https://s.example/u">x</a>', '<a data-no-track href="https://s.example/1">x</a>',
    '<a href="https://s.example/1" data-no-track>x</a>', '<link href="https://s.example/1">',
])  # fmt: skip
def test_these_links_stay_as_they_are(link):
    assert rewrite_links(link, track, keep=("https://s.example/u",)) == link


def test_an_address_that_stands_in_a_message_twice_is_made_once():
    seen = []
    html = '<a href="https://s.example/1">x</a><a class="b" href=\'https://s.example/1\'>y</a>'
    out = rewrite_links(html, lambda url: seen.append(url) or "https://t.example/1")
    assert seen == ["https://s.example/1"]
    assert out == '<a href="https://t.example/1">x</a><a class="b" href="https://t.example/1">y</a>'


def test_what_stands_between_links_stays_whether_they_are_replaced_or_not():
    html = '<p>1<a href="https://s.example/1">x</a>2<a href="#top">y</a>3<A HREF="https://s.example/2">z</A>4</p>'
    out = rewrite_links(html, lambda url: f"{url}'\"<")
    assert out == (
        '<p>1<a href="https://s.example/1&#39;&#34;&lt;">x</a>2<a href="#top">y</a>3'
        '<a href="https://s.example/2&#39;&#34;&lt;">z</A>4</p>'
    )


def test_none_leaves_a_link_alone():
    assert (
        rewrite_links('<a href="https://x.example">x</a>', lambda url: None)
        == '<a href="https://x.example">x</a>'
    )


def test_the_pixel_stands_at_the_end_of_the_last_body():
    html = add_at_end("<html><body><p>x</p></body></html>", pixel_url="https://t.example/o?a=1&b=2")
    assert html.endswith("</body></html>")
    assert 'src="https://t.example/o?a=1&amp;b=2"' in html
    assert add_at_end("<p>x</p>", pixel_url="https://t.example/o").startswith("<p>x</p><img ")


def test_the_hidden_link_follows_the_pixel():
    html = add_at_end("<body>x</BODY>", pixel_url="https://t.example/o", trap_url="https://t.example/s?a&b")
    assert html.index("<img ") < html.index('<a href="https://t.example/s?a&amp;b"') < html.index("</BODY>")


@pytest.mark.parametrize(
    "url", ["https://a.example", "HTTP://a", "mailto:a@b", "/path", "page?x=a:b", "#top", ""]
)
def test_harmless_addresses_are_allowed(url):
    assert is_allowed_url(url)


def test_inline_pictures_are_allowed_as_pictures_only():
    assert is_allowed_url("data:image/png;base64,AAAA", image=True)
    assert not is_allowed_url("data:image/png;base64,AAAA")
    assert not is_allowed_url("data:image/svg+xml;base64,AAAA", image=True)
