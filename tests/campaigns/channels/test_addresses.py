"""Web addresses within texts: found whole, and nothing that ends the sentence with them."""

import pytest

from campaigns.channels._addresses import replace_addresses


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("See https://shop.example/a?b=1&c=2#d.", ["https://shop.example/a?b=1&c=2#d"]),
        ("(https://shop.example/a_(b)), or http://x.example!", ["https://shop.example/a_(b)", "http://x.example"]),
        ("“https://shop.example/a”", ["https://shop.example/a"]),
        ("点击https://shop.example/a看看", ["https://shop.example/a"]),
        ("点击https://shop.example/商品/1，谢谢", ["https://shop.example/商品/1"]),
        ("https://shop.example/?q=茶。", ["https://shop.example/?q=茶"]),
        ("https://müller.example/straße", ["https://müller.example/straße"]),
        ("https://例子.cn/a https://a例子.cn/b", []),  # better untouched than cut in the middle of its name
        ("shop.example ftp://shop.example javascript:https", []),
        ("http://localhost:8000/x\nhttps://10.0.0.1/y", ["http://localhost:8000/x", "https://10.0.0.1/y"]),
    ],
)  # fmt: skip
def test_addresses_are_found_whole_and_end_before_the_sentence_does(text: str, addresses: list[str]) -> None:
    found: list[str] = []
    replaced = replace_addresses(text, lambda url: found.append(url) or "<>")
    assert found == addresses
    assert replaced.replace("<>", "{}").format(*addresses) == text
