import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats import Mean, Proportion, adjust, compare, simultaneous

CONTROL = Proportion(2_000, 200)
FAMILY = [(CONTROL, Proportion(2_000, k)) for k in (201, 245, 262, 180)]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("bh", [0.03, 0.06, 0.06, 0.03, 0.6, 0.6]),
        ("by", [0.0735, 0.147, 0.147, 0.0735, 1.0, 1.0]),
    ],
)
def test_false_discovery_methods_meet_published_figures(method, expected):
    assert adjust([0.01, 0.03, 0.04, 0.005, 0.55, 0.6], method) == pytest.approx(expected, abs=5e-5)


def test_hommel_is_never_stricter_than_holm():
    p_values = [0.01, 0.02, 0.03, 0.04]
    assert all(a <= b for a, b in zip(adjust(p_values, "hommel"), adjust(p_values, "holm"), strict=True))


def excludes_zero(effect):
    low, high = effect.absolute_ci
    # A one-sided interval of Holm's begins at 0 itself, which it leaves out.
    return (low is not None and low >= 0) or (high is not None and high <= 0)


@given(
    st.lists(st.integers(150, 280), min_size=1, max_size=6),
    st.sampled_from(["bonferroni", "sidak", "bh", "by", "holm"]),
    st.sampled_from(["two-sided", "greater", "less"]),
    st.sampled_from(["fixed", "always_valid"]),
)
def test_joint_intervals_and_p_values_decide_alike(successes, method, alternative, way):
    found = simultaneous(
        [(CONTROL, Proportion(2_000, k)) for k in successes],
        method=method,
        alternative=alternative,
        compare_method=way,
    )
    for joint in found:
        if joint.wide is None:
            assert (method, alternative) == ("holm", "two-sided")
            continue
        assert excludes_zero(joint.wide) == (joint.p_value < 0.05)


def test_intervals_are_as_wide_as_the_method_says():
    for method, level in [("bonferroni", 0.05 / 4), ("sidak", 1 - 0.95**0.25), ("bh", 0.05 * 2 / 4)]:
        found = simultaneous(FAMILY, method=method)
        for (control, treatment), joint in zip(FAMILY, found, strict=True):
            alone = compare(control, treatment, alpha=level)
            assert joint.wide.absolute_ci == pytest.approx(alone.absolute_ci)


def test_holm_keeps_plain_bounds_for_what_it_does_not_claim():
    """One-sided, two of four claimed: theirs begin at 0, the others' have alpha/2 each."""
    found = simultaneous(FAMILY, method="holm", alternative="greater")
    assert [joint.p_value < 0.05 for joint in found] == [False, True, True, False]
    assert found[1].wide.absolute_ci == (0.0, None)
    alone = compare(*FAMILY[0], alpha=0.025, alternative="greater")
    assert found[0].wide.absolute_ci == alone.absolute_ci


def test_what_cannot_be_compared_takes_no_part():
    found = simultaneous([(Mean(9, 0, 0), Mean(9, 0, 0)), (CONTROL, FAMILY[2][1])], method="holm")
    assert found[0] is None
    assert found[1].p_value == found[1].plain.p_value
    assert found[1].wide == found[1].plain
