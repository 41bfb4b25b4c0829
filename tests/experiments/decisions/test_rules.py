"""Every rule by a case of its own; intervals are written by hand, no statistics are computed here."""

import pytest

from experiments.decisions import (
    Action,
    Challenger,
    Code,
    Criteria,
    Guard,
    Guardrail,
    Method,
    Moment,
    NonsenseCriteria,
    Problem,
    Standing,
    decide,
    winner_of,
)
from experiments.stats import Effect

AT_THE_END = Moment(days=14, look=2, is_last=True)
AT_THE_FIRST_LOOK = Moment(days=7, look=1, is_last=False)
BETWEEN = Moment(days=9, look=None, is_last=False)


def criteria(**changes):
    return Criteria(
        **{
            "metric": "revenue", "direction": "up", "baseline": "a", "method": Method.GROUP_SEQUENTIAL,
            "looks": (0.5, 1.0), "length_days": 14, "min_days": 7, "minimum_effect": 0.1,
            "guardrails": (Guardrail("left", "down", 0.01),), **changes,
        }
    )  # fmt: skip


def effect(low, high, *, method="group_sequential", alpha=0.05, relative=None):
    middle = ((low or 0.0) + (high or 0.0)) / 2
    return Effect(
        absolute=middle, absolute_ci=(low, high), relative=middle, relative_ci=relative or (low, high),
        p_value=0.5, method="welch", alpha=alpha, horizon=method,
    )  # fmt: skip


UP, DOWN, NONE = (0.1, 0.5), (-0.5, -0.1), (-0.2, 0.2)
FINE, BAD, HAZY = (-0.005, 0.005), (0.004, 0.03), (-0.005, 0.03)


@pytest.mark.parametrize(
    ("primary", "guardrail", "moment", "action", "code", "standing"),
    [
        (UP, FINE, AT_THE_END, Action.SHIP, Code.BETTER, Standing.BETTER),
        (UP, FINE, AT_THE_FIRST_LOOK, Action.SHIP, Code.BETTER, Standing.BETTER),
        (UP, BAD, AT_THE_FIRST_LOOK, Action.STOP, Code.GUARDRAIL_WORSE, Standing.HARMFUL),
        (NONE, BAD, AT_THE_FIRST_LOOK, Action.STOP, Code.GUARDRAIL_WORSE, Standing.HARMFUL),
        (UP, HAZY, AT_THE_FIRST_LOOK, Action.GO_ON, Code.NOT_YET, Standing.HELD_BACK),
        (UP, HAZY, AT_THE_END, Action.STOP, Code.GUARDRAIL_UNCLEAR, Standing.HELD_BACK),
        (DOWN, FINE, AT_THE_FIRST_LOOK, Action.STOP, Code.BASELINE_BETTER, Standing.WORSE),
        (NONE, FINE, AT_THE_FIRST_LOOK, Action.GO_ON, Code.NOT_YET, Standing.UNCLEAR),
        (NONE, FINE, AT_THE_END, Action.STOP, Code.UNDECIDED, Standing.UNCLEAR),
        ((-0.02, 0.05), FINE, AT_THE_END, Action.STOP, Code.TOO_SMALL, Standing.UNCLEAR),
        (None, FINE, AT_THE_FIRST_LOOK, Action.GO_ON, Code.NOT_YET, Standing.UNKNOWN),
        (None, FINE, AT_THE_END, Action.STOP, Code.NOTHING_MEASURED, Standing.UNKNOWN),
    ],
)
def test_one_challenger_is_shipped_stopped_or_goes_on(primary, guardrail, moment, action, code, standing):
    one = Challenger("b", primary and effect(*primary), {"left": effect(*guardrail)})
    decision = decide(criteria(), [one], moment=moment)
    assert (decision.action, decision.code) == (action, code)
    assert decision.standings == {"b": standing}
    assert decision.variant == {Code.BETTER: "b", Code.BASELINE_BETTER: "a"}.get(code)


def test_the_guardrail_that_stood_in_the_way_is_named() -> None:
    one = Challenger("b", effect(*UP), {"left": effect(*HAZY)})
    assert decide(criteria(), [one], moment=AT_THE_END).guardrails == ("left",)


def test_a_guardrail_that_was_not_measured_cannot_hold() -> None:
    decision = decide(criteria(), [Challenger("b", effect(*UP), {})], moment=AT_THE_END)
    assert decision.code is Code.GUARDRAIL_UNCLEAR


def test_less_can_be_better() -> None:
    one = Challenger("b", effect(*DOWN), {"left": effect(*FINE)})
    assert decide(criteria(direction="down"), [one], moment=AT_THE_END).variant == "b"


@pytest.mark.parametrize("guard", list(Guard))
def test_every_broken_guard_vetoes_even_the_clearest_win(guard: Guard) -> None:
    one = Challenger("b", effect(5.0, 6.0), {"left": effect(*FINE)})
    decision = decide(criteria(), [one], guards=[guard], moment=AT_THE_END)
    assert (decision.action, decision.code, decision.guards) == (Action.STOP, Code.GUARD_BROKEN, (guard,))


def test_between_planned_looks_nothing_is_shipped_however_clear() -> None:
    decision = decide(criteria(), [Challenger("b", effect(5.0, 6.0))], moment=BETWEEN)
    assert (decision.action, decision.code, decision.standings) == (Action.GO_ON, Code.NOT_A_LOOK, {})


def test_a_fixed_test_is_shipped_only_at_its_end() -> None:
    fixed = criteria(method=Method.FIXED, looks=(1.0,), guardrails=())
    one = Challenger("b", effect(*UP, method="fixed"))
    assert decide(fixed, [one], moment=BETWEEN).action is Action.GO_ON
    assert decide(fixed, [one], moment=Moment(14, 1, True)).action is Action.SHIP


def test_an_always_valid_test_may_be_shipped_at_any_time_after_the_minimum() -> None:
    always = criteria(method=Method.ALWAYS_VALID, looks=(1.0,), guardrails=())
    one = Challenger("b", effect(*UP, method="always_valid"))
    assert decide(always, [one], moment=Moment(8.3, None, False)).action is Action.SHIP
    assert decide(always, [one], moment=Moment(3, None, False)).code is Code.TOO_EARLY


def test_harm_stops_a_test_before_the_minimum_of_days() -> None:
    always = criteria(method=Method.ALWAYS_VALID, looks=(1.0,))
    one = Challenger("b", None, {"left": effect(*BAD, method="always_valid")})
    assert decide(always, [one], moment=Moment(1, None, False)).code is Code.GUARDRAIL_WORSE


def test_effects_of_another_method_or_level_are_refused() -> None:
    for wrong in (effect(*UP, method="fixed"), effect(*UP, alpha=0.1)):
        with pytest.raises(ValueError, match="of the plan"):
            decide(criteria(), [Challenger("b", wrong)], moment=AT_THE_END)


def test_two_challengers_share_the_error() -> None:
    both = [Challenger(name, effect(*UP), {"left": effect(*FINE)}) for name in "bc"]
    with pytest.raises(ValueError, match="level"):
        decide(criteria(), both, moment=AT_THE_END)


def test_of_two_better_challengers_the_larger_effect_is_shipped_unless_it_does_harm() -> None:
    small = Challenger("b", effect(0.1, 0.3, alpha=0.025), {"left": effect(*FINE, alpha=0.025)})
    large = Challenger("c", effect(0.4, 0.6, alpha=0.025), {"left": effect(*FINE, alpha=0.025)})
    harmful = Challenger("c", effect(0.4, 0.6, alpha=0.025), {"left": effect(*BAD, alpha=0.025)})
    assert decide(criteria(), [small, large], moment=AT_THE_END).variant == "c"
    assert decide(criteria(), [small, harmful], moment=AT_THE_END).variant == "b"


def test_one_lost_challenger_does_not_end_the_test_of_the_other() -> None:
    lost = Challenger("b", effect(*DOWN, alpha=0.025), {"left": effect(*FINE, alpha=0.025)})
    unclear = Challenger("c", effect(*NONE, alpha=0.025), {"left": effect(*FINE, alpha=0.025)})
    assert decide(criteria(), [lost, unclear], moment=AT_THE_FIRST_LOOK).action is Action.GO_ON


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"metric": ""}, "metric", Problem.NO_METRIC),
        ({"baseline": ""}, "baseline", Problem.NO_BASELINE),
        ({"alpha": 0.0}, "alpha", Problem.ALPHA),
        ({"alpha": 0.7}, "alpha", Problem.ALPHA),
        ({"power": 0.01}, "power", Problem.POWER),
        ({"power": 1.0}, "power", Problem.POWER),
        ({"minimum_effect": 0.0}, "minimum_effect", Problem.MINIMUM_EFFECT),
        ({"minimum_effect": float("nan")}, "minimum_effect", Problem.MINIMUM_EFFECT),
        ({"length_days": 0}, "length_days", Problem.LENGTH),
        ({"min_days": 15}, "min_days", Problem.MIN_DAYS),
        ({"min_days": 8}, "looks", Problem.LOOK_TOO_EARLY),
        ({"looks": ()}, "looks", Problem.LOOKS),
        ({"looks": (0.5, 0.9)}, "looks", Problem.LOOKS),
        ({"looks": (0.5, 0.5, 1.0)}, "looks", Problem.LOOKS),
        ({"looks": (0.0, 1.0)}, "looks", Problem.LOOKS),
        ({"looks": tuple((n + 1) / 64 for n in range(64)), "min_days": 0}, "looks", Problem.TOO_MANY_LOOKS),
        ({"method": Method.FIXED}, "looks", Problem.LOOKS_WITHOUT_PLAN),
        ({"guardrails": (Guardrail("revenue", "up", 0.1),)}, "guardrails", Problem.GUARDRAIL_IS_METRIC),
        ({"guardrails": (Guardrail("left", "down", -1),)}, "guardrails", Problem.MARGIN),
        ({"guardrails": (Guardrail("left", "down", 0.1),) * 2}, "guardrails", Problem.GUARDRAIL_TWICE),
    ],
)
def test_nonsense_is_refused_with_its_reason(changes, field, problem) -> None:
    with pytest.raises(NonsenseCriteria) as refused:
        criteria(**changes)
    assert (field, problem) in refused.value.problems


@pytest.mark.parametrize(
    ("primary", "guards", "fallback", "winner", "is_fallback"),
    [
        (UP, (), "nobody", "b", False),
        (DOWN, (), "nobody", "a", False),
        (NONE, (), "baseline", "a", True),
        ((-0.1, 0.4), (), "best", "b", True),
        ((-0.4, 0.1), (), "best", "a", True),
        (NONE, (), "nobody", None, True),
        (UP, (Guard.SAMPLE_RATIO,), "best", "a", True),
        (UP, (Guard.SAMPLE_RATIO,), "nobody", None, True),
        (None, (), "best", "a", True),
    ],
)
def test_the_rest_gets_the_winner_or_the_stated_fallback(primary, guards, fallback, winner, is_fallback):
    plan = criteria(guardrails=())
    one = Challenger("b", primary and effect(*primary))
    decision = decide(plan, [one], guards=guards, moment=AT_THE_END)
    found = winner_of(plan, decision, [one], fallback=fallback)
    assert found is not None
    assert (found.variant, found.is_fallback) == (winner, is_fallback)


def test_there_is_no_winner_while_the_test_goes_on() -> None:
    one = Challenger("b", effect(*NONE))
    decision = decide(criteria(guardrails=()), [one], moment=AT_THE_FIRST_LOOK)
    assert winner_of(criteria(guardrails=()), decision, [one], fallback="best") is None
