"""The steps of a funnel as a caller may know them: see `privacy.told`."""

from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpRequest
from rest_framework.request import Request

from personalization.privacy.told import told_count
from personalization.segments.explain import Step


def told_steps(request: HttpRequest | Request, steps: Sequence[Step]) -> list[Step]:
    return [
        replace(step, alone=told_count(request, step.alone), left=told_count(request, step.left))
        for step in steps
    ]
