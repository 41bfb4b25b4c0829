import csv

from personalization.importing.rejects import FirstRejects, RejectsFile, sheet


def kept(tmp_path, *rejects):
    path = tmp_path / "rejects.jsonl"
    with path.open("w", encoding="utf-8") as file:
        RejectsFile(file).add_all(rejects)
    return path


def test_rows_of_different_shape_share_one_sheet(tmp_path):
    path = kept(
        tmp_path, (2, "no date", {"id": 1, "at": "soon"}), (5, "no id", {"plan": None, "tags": ["a", 1]})
    )
    assert list(csv.reader("".join(sheet(path)).lstrip("\ufeff").splitlines())) == [
        ["rejected line", "rejected because", "id", "at", "plan", "tags"],
        ["2", "no date", "1", "soon", "", ""],
        ["5", "no id", "", "", "", '["a", 1]'],
    ]


def test_a_line_that_could_not_be_read_has_its_reason_alone(tmp_path):
    path = kept(tmp_path, (7, "line contains NUL", None))
    assert "".join(sheet(path)) == "\ufeffrejected line,rejected because\r\n7,line contains NUL\r\n"


def test_a_row_longer_than_what_a_csv_reader_takes_for_a_cell_is_told(tmp_path):
    path = kept(tmp_path, (2, "too long", {"text": "x" * 200_000}))
    assert len("".join(sheet(path))) > 200_000


def test_of_endless_refusals_only_the_first_are_kept():
    rejects = FirstRejects(2)
    rejects.add_all((line, "bad", {"email": "ada@example.com"}) for line in range(1000))
    assert rejects.found == [{"line": 0, "reason": "bad"}, {"line": 1, "reason": "bad"}]
