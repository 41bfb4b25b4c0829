"""The shape of what a learned division says, in the report."""

from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, DateTimeField, FloatField, IntegerField

from experiments.models import Direction
from experiments.reports.effect_serializers import BoundsField


class ArmSumsSerializer(serializers.Serializer):
    """With w = 1/chance and outcome y, over the customers of a variant."""

    n = IntegerField()
    w = FloatField(help_text="Σw")
    ww = FloatField(help_text="Σw²")
    wy = FloatField(help_text="Σwy")
    wwy = FloatField(help_text="Σw²y")
    wwyy = FloatField(help_text="Σw²y²")


class LearnedVariantSerializer(serializers.Serializer):
    variant = CharField()
    customers = IntegerField()
    effective = FloatField(help_text="What they are worth, weighted by their chances.")
    value = FloatField(allow_null=True, help_text="If everybody got it, weighted.")
    interval = BoundsField(allow_null=True, help_text="95 % credible interval.")
    best = FloatField(allow_null=True, help_text="Chance to be the best message; null for the control.")
    loss = FloatField(allow_null=True, help_text="Expected, for each customer, against the best message.")
    sums = ArmSumsSerializer()


class LearnedDaySerializer(serializers.Serializer):
    day = IntegerField()
    at = DateTimeField()
    drawn = IntegerField(help_text="Customers who were given the variant since the day before in this list.")
    chance = FloatField(allow_null=True, help_text="With which they were.")
    known = LearnedVariantSerializer(help_text="All that was known at the end of the day.")


class RegretSerializer(serializers.Serializer):
    value = FloatField(help_text="Expected to be lost against the best message alone, over all customers.")
    interval = BoundsField()
    even = FloatField(help_text="What equal shares would have lost.")
    saved = FloatField()
    saved_interval = BoundsField()


class LearnedMetricSerializer(serializers.Serializer):
    """The primary metric, then the one that the draws went by, where it is another."""

    key = CharField()
    name = CharField()
    direction = serializers.ChoiceField(Direction.choices)
    is_share = BooleanField()
    variants = LearnedVariantSerializer(many=True)
    days = serializers.DictField(child=LearnedDaySerializer(many=True))
    regret = RegretSerializer(allow_null=True)
    regret_days = serializers.ListField(
        child=serializers.ListField(child=FloatField(), min_length=3, max_length=3),
        help_text="Day, what it had cost by then, what equal shares would have.",
    )
