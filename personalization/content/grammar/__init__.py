"""Phrases that are put together by rules: pure Python, neither Django nor Liquid.

`reading` makes rules of what an author writes, `drawing` draws one text; `english` and `chinese`
know the words.
"""
