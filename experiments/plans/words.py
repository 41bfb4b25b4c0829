"""Plans and decisions in plain sentences; each case is one whole sentence, so that it can be translated."""

from django.utils.translation import gettext as _

from experiments.decisions import Code, Guard, Method, Problem


def explain_problem(problem: Problem) -> str:
    return {
        Problem.NO_METRIC: _("Choose the metric that decides."),
        Problem.NO_BASELINE: _("Choose what the others are compared with."),
        Problem.ALPHA: _("The error rate lies above 0 and below 0.5; 0.05 is usual."),
        Problem.POWER: _("The power lies above the error rate and below 1; 0.8 is usual."),
        Problem.MINIMUM_EFFECT: _("The smallest change worth finding must be above 0."),
        Problem.LENGTH: _("The test must last some time: give a number of days above 0."),
        Problem.MIN_DAYS: _("The minimum of days lies between 0 and the length of the test."),
        Problem.LOOKS: _("Looks are shares of the length in rising order, above 0, and the last is 1."),
        Problem.LOOKS_WITHOUT_PLAN: _(
            "A test that is judged once, at the end, has no looks in between. Choose planned looks."
        ),
        Problem.TOO_MANY_LOOKS: _("More than 50 looks: choose the always-valid method instead."),
        Problem.LOOK_TOO_EARLY: _(
            "The first look lies before the minimum of days: it would spend error and could decide nothing."
        ),
        Problem.MARGIN: _("A guardrail needs a margin above 0: the harm that you would still accept."),
        Problem.GUARDRAIL_IS_METRIC: _("The metric that decides cannot be its own guardrail."),
        Problem.GUARDRAIL_TWICE: _("Each guardrail is named once."),
    }[problem]


def name_method(method: Method) -> str:
    return {
        Method.FIXED: _("Judged once, at the end"),
        Method.GROUP_SEQUENTIAL: _("Looks at set times"),
        Method.ALWAYS_VALID: _("Looks at any time"),
    }[method]


def explain_guard(guard: Guard) -> str:
    return {
        Guard.SAMPLE_RATIO: _("The customers are not divided as planned."),
        Guard.SEVERAL_VARIANTS: _("Too many customers saw more than one variant."),
        Guard.UNSUITABLE_METRIC: _("The metric divides by something that the message itself changes."),
        Guard.METRIC_CHANGED: _("The definition of a metric was changed after the start."),
    }[guard]


def explain_decision(code: Code) -> str:
    """A sentence with the places %(variant)s, %(metric)s, %(guards)s, %(guardrails)s and %(next)s."""
    return {
        Code.GUARD_BROKEN: _("Stop: these numbers cannot be trusted. %(guards)s"),
        Code.NOT_A_LOOK: _("Go on: the plan looks next on %(next)s, and the numbers decide nothing before."),
        Code.GUARDRAIL_WORSE: _("Stop: no gain is worth the harm to %(guardrails)s."),
        Code.TOO_EARLY: _("Go on: the test has not yet lasted the minimum of days that was planned."),
        Code.BETTER: _("Ship “%(variant)s”: it is better on “%(metric)s”, and no guardrail is worse."),
        Code.BASELINE_BETTER: _(
            "Stop: “%(variant)s” is better on “%(metric)s” than everything compared with it."
        ),
        Code.NOT_YET: _("Go on: nothing can be told apart yet. The plan looks next on %(next)s."),
        Code.NOTHING_MEASURED: _("Stop: the test is over and nothing was measured that could be compared."),
        Code.GUARDRAIL_UNCLEAR: _(
            "Stop: a gain was found, but it could not be ruled out that %(guardrails)s suffers more than the "
            "plan allows."
        ),
        Code.TOO_SMALL: _(
            "Stop: if there is any gain, it is smaller than what the plan calls worth finding."
        ),
        Code.UNDECIDED: _("Stop: the test is over and could not tell the variants apart on “%(metric)s”."),
    }[code]
