"""Marks the journey's goal as reached, and goes on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy

from campaigns.journeys.nodes._base import Move, Node, Place, Stay, Traveler, Wrong


class GoalNode(Node):
    name = "goal"
    label = gettext_lazy("Goal")
    icon = "flag"

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        return iter(())

    def describe(self, params: Mapping[str, Any]) -> str:
        return ""

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        return {one.id: Move("done", is_goal=True) for one in travelers}
