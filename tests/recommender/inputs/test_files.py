"""What files say about items."""

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from recommender.inputs.files import read_items


def test_long_text_columns_are_texts_too(tmp_path):
    table = pa.table(
        {"item": [7, 9], "brand": pa.array(["North", None], pa.large_string()), "price": [1.5, None]}
    )
    parquet.write_table(table, tmp_path / "items.parquet")
    found = read_items(tmp_path / "items.parquet", item_column="item", item_ids=np.array([9, 7]))
    assert found.texts == ["", "North"]
    assert np.isnan(found.numbers["price"][0]) and found.numbers["price"][1] == 1.5
