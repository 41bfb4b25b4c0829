import pytest

from personalization.customers.names import full_name


@pytest.mark.parametrize(
    ("first", "last", "whole"),
    [
        ("Ada", "Lovelace", "Ada Lovelace"), ("芳", "宋", "宋芳"), ("Jackie", "陈", "Jackie 陈"),
        ("芳", "", "芳"), ("", "Ito", "Ito"), ("", "", ""),
    ],
)  # fmt: skip
def test_a_name_is_put_together_as_its_writing_does(first, last, whole):
    assert full_name(first, last) == whole
