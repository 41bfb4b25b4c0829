from io import StringIO

import pytest
from django.core.management import CommandError, call_command


@pytest.fixture
def log(tmp_path):
    file = tmp_path / "log.csv"
    rows = ["action,propensity,reward,new,daypart"]
    rows += [f"a,0.5,{i % 4 == 0:d},0.25,day" for i in range(400)]
    rows += [f"b,0.5,{i % 2 == 0:d},0.75,night" for i in range(400)]
    file.write_text("\n".join(rows))
    return file


def test_the_new_policy_is_given_by_a_column_by_shares_or_as_uniform(log):
    answers = []
    for how in (
        {"target": "new"},
        {"shares": '{"a": 0.25, "b": 0.75}', "context": "daypart"},
        {"uniform": True},
    ):
        out = StringIO()
        call_command("off_policy", log, stdout=out, **how)
        answers.append(out.getvalue())
    # A quarter of 1/4 and three quarters of 1/2.
    assert "ipw        0.4375 (" in answers[0]
    assert "ipw        0.4375 (" in answers[1]
    assert "dr " in answers[1]
    assert "switch_dr" in answers[1]
    assert "ipw        0.375 (" in answers[2]


def test_a_log_that_cannot_tell_is_refused(log):
    with log.open("a") as file:
        file.write("\na,0.0001,1,0.9,day")
    with pytest.raises(CommandError, match="This log cannot tell"):
        call_command("off_policy", log, target="new")


def test_a_bad_line_is_named(log):
    with log.open("a") as file:
        file.write("\na,often,1,0.9,day")
    with pytest.raises(CommandError, match="line 802: propensity is no number"):
        call_command("off_policy", log, uniform=True)


def test_a_missing_column_is_named(log):
    with pytest.raises(CommandError, match="no column 'click'; there are: action"):
        call_command("off_policy", log, reward="click", uniform=True)
