import gc

import pytest

from campaigns.sending import collector


def test_the_collector_rests_inside_and_runs_again_after_a_failure() -> None:
    with pytest.raises(ValueError), collector.at_rest():
        assert not gc.isenabled()
        raise ValueError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector.at_rest():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
