"""Reads of the segments room: who is in, how many, a few of them."""

from datetime import datetime

from django.db.models import QuerySet

from personalization.customers.models import Customer
from personalization.segments.compiler import compile_definition, compile_node
from personalization.segments.definition import parse
from personalization.segments.models import SegmentVersion


def members(version: SegmentVersion, *, now: datetime) -> QuerySet[Customer]:
    """Raises DefinitionError when the version refers to a segment that is gone."""
    return compile_node(parse(version.definition), now=now, path=(version.segment_id,))


def count(definition: object, *, now: datetime) -> int:
    return compile_definition(definition, now=now).count()


def sample(definition: object, *, now: datetime, n: int = 5) -> list[Customer]:
    """The n newest members."""
    return list(compile_definition(definition, now=now).order_by("-pk")[:n])
