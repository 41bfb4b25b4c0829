"""A rehearsal's findings as a caller may know them."""

from dataclasses import replace

from campaigns.journeys.selectors import told_journey
from campaigns.rehearsing.found import Failure, Findings
from personalization.privacy.floor import round_down
from personalization.privacy.told import told_counts


def told_findings(found: Findings, *, whole: bool) -> Findings:
    """Without `whole`: each count in steps of the floor, nobody, and no detail, which may be a name."""
    if not whole:
        failures: dict[tuple[str, str, str], Failure] = {}
        for one in found.failures.values():
            key = (one.variant, one.reason, "")
            failures.setdefault(key, Failure(*key)).customers += one.customers
        for one in failures.values():
            one.customers = round_down(one.customers)
        found = replace(
            found, samples=[], failures=failures, audience=round_down(found.audience),
            sent=round_down(found.sent), days=told_counts(found.days, whole=False),
            reasons=told_counts(found.reasons, whole=False),
            waiting=told_counts(found.waiting, whole=False),
            journey=found.journey and told_journey(found.journey, whole=False),
        )  # fmt: skip
    return found


def most_first(found: Findings) -> list[Failure]:
    return sorted(found.failures.values(), key=lambda one: (-one.customers, one.variant, one.detail))
