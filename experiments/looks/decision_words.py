"""What the plan says and what follows from it, in whole sentences."""

from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from experiments.decisions import Method
from experiments.looks import looks
from experiments.models import Experiment, Metric, Plan
from experiments.plans.words import explain_decision, explain_guard, name_method


def sentence_of(experiment: Experiment, judgement: looks.Judgement) -> str:
    decision, plan = judgement.decision, judgement.plan
    following = judgement.next_look_at
    return explain_decision(decision.code) % {
        "variant": name_of(experiment, decision.variant),
        "metric": metric_name(plan.terms["metric"]),
        "guards": " ".join(explain_guard(guard) for guard in decision.guards),
        "guardrails": ", ".join(f"“{metric_name(key)}”" for key in decision.guardrails),
        "next": _moment(following) if following else "–",
    }


def describe_plan(experiment: Experiment, plan: Plan) -> str:
    terms = plan.terms
    facts = {
        "metric": metric_name(terms["metric"]), "baseline": name_of(experiment, terms["baseline"]),
        "days": f"{terms['length_days']:g}", "method": name_method(Method(terms["method"])),
        "alpha": f"{terms['alpha'] * 100:g}",
        "looks": ", ".join(f"{look * terms['length_days']:g}" for look in terms["looks"]),
        "guardrails": ", ".join(metric_name(g["metric"]) for g in terms["guardrails"]) or _("none"),
    }  # fmt: skip
    if Method(terms["method"]) is Method.GROUP_SEQUENTIAL:
        return (
            _(
                "“%(metric)s” decides against “%(baseline)s”, looked at after %(looks)s days, with at most "
                "%(alpha)s %% false winners. Guardrails: %(guardrails)s."
            )
            % facts
        )
    return (
        _(
            "“%(metric)s” decides against “%(baseline)s” within %(days)s days (%(method)s), with at most "
            "%(alpha)s %% false winners. Guardrails: %(guardrails)s."
        )
        % facts
    )


def name_of(experiment: Experiment, key: str | None) -> str:
    if key is None:
        return ""
    variant = experiment.variants.filter(key=key).first()
    return variant.name if variant else key


def metric_name(key: str) -> str:
    found = Metric.objects.filter(key=key).values_list("name", flat=True).first()
    return _(found) if found else key


def _moment(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")
