"""`POST /api/v1/recommendations`."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.catalog.selectors import ids_by_external, names
from personalization.customers.contexts import context_of
from personalization.customers.reading import may_see, note_read
from personalization.customers.selectors import customer_ids
from recommender import selectors
from recommender.inputs.event_columns import DEVICES
from recommender.inputs.moment import Moment
from recommender.ranking.reasons import say_reason
from recommender.ranking.references import no_such_item
from recommender.ranking.rules import ALLOW, EXCLUDE, Rules
from recommender.ranking.rules_field import RulesField

MAX_CART = 100
MAX_CUSTOMERS = 100
MAX_COUNT = 100


class VisitSerializer(KnownFields, serializers.Serializer[Any]):
    """The moment in which the list is shown; each part may be missing."""

    current_item = serializers.CharField(
        max_length=200, required=False, allow_null=True,
        help_text="Id of the item that is looked at; never recommended itself. One that is not known is "
        "ignored, and the answer says so.",
    )  # fmt: skip
    cart = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=MAX_CART, required=False,
        help_text="Ids of the items in the cart; never recommended themselves. Those not known are ignored, "
        "and the answer says so.",
    )  # fmt: skip
    device = serializers.ChoiceField(choices=DEVICES, required=False)
    user_agent = serializers.CharField(
        max_length=1000,
        required=False,
        allow_blank=True,
        help_text="Tells the device where `device` does not.",
    )
    time = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When the list is shown; missing: now."
    )
    place = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="Country or city of the visitor."
    )


class RecommendationRequest(KnownFields, serializers.Serializer[Any]):
    customers = serializers.ListField(
        child=serializers.CharField(max_length=200), min_length=1, max_length=MAX_CUSTOMERS,
        help_text="Customer ids of your own shop. One that is not known is a visitor without a history: the "
        "items are personal with a current item or a cart, else popular.",
    )  # fmt: skip
    count = serializers.IntegerField(min_value=1, max_value=MAX_COUNT, default=6)
    # DRF takes declared fields off the class, so this hides nothing.
    context = VisitSerializer(  # type: ignore[assignment]
        required=False, help_text="The same for all customers of the call."
    )
    rules = RulesField(required=False, help_text="What may be recommended.")
    exclude_bought = serializers.BooleanField(
        required=False,
        help_text="Short for the rule `bought`: true is exclude (also the default), false is allow.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        rules = attrs.get("rules", Rules())
        if "exclude_bought" in attrs:
            if "bought" in self.initial_data.get("rules", {}):
                detail = _("This is short for the rule “bought”: give one of the two.")
                raise serializers.ValidationError({"exclude_bought": detail})
            rules = replace(rules, bought=EXCLUDE if attrs["exclude_bought"] else ALLOW)
        return {**attrs, "rules": rules}


class RecommendedItem(serializers.Serializer[Any]):
    item = serializers.CharField(help_text="Item id of your own shop.")
    name = serializers.CharField()
    score = serializers.FloatField(help_text="Comparable within one customer and one kind of reason.")
    reason_kind = serializers.ChoiceField(
        choices=[selectors.MODEL, selectors.BECAUSE, selectors.SIMILAR, selectors.POPULAR, selectors.PINNED],
        help_text="because: of reason_item. model: personal. similar_customers: popular with those who share "
        "traits. popular: not personal. pinned: by the rules.",
    )
    reason = serializers.CharField(help_text="A sentence in the language of Accept-Language.")
    reason_item = serializers.CharField(allow_null=True, help_text="Item id, with the kind because.")

    reason_event = serializers.ChoiceField(
        choices=["", selectors.BOUGHT, selectors.VIEWED],
        help_text="What the customer did with reason_item; empty without one.",
    )


class CustomerRecommendations(serializers.Serializer[Any]):
    customer = serializers.CharField()
    items = RecommendedItem(many=True)


class ServingModel(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    algorithm = serializers.CharField()


class IgnoredPart(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="JSON pointer into the request.")
    detail = serializers.CharField()


class RecommendationResponse(serializers.Serializer[Any]):
    model = ServingModel(allow_null=True, help_text="Null before the first model was promoted.")
    recommendations = CustomerRecommendations(many=True)
    ignored = IgnoredPart(many=True, help_text="Items of the context that our catalog does not know yet.")


class RecommendationsView(APIView):
    required_scope = Scope.RECOMMENDATIONS

    @extend_schema(request=RecommendationRequest, responses={200: RecommendationResponse})
    def post(self, request: Request) -> Response:
        """The items each customer will most likely want now, with the reason for each."""
        body = RecommendationRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        known = customer_ids(asked["customers"])
        if known and not may_see(request):
            raise PermissionDenied  # what is recommended, and why, tells what they did
        note_read(request, known.values(), page="API: recommendations")
        moment, ignored = _moment(asked.get("context", {}))
        how: dict[str, Any] = {"k": asked["count"], "rules": asked["rules"], "context": moment}
        lists = selectors.recommend(set(known.values()), **how)
        customers = list(dict.fromkeys(asked["customers"]))
        visitors = selectors.recommend_popular(**how) if len(known) < len(customers) else []
        by_customer = {
            external_id: lists[known[external_id]] if external_id in known else visitors
            for external_id in customers
        }
        champion = selectors.champion_in_use(repeats=asked["rules"].bought != EXCLUDE)
        return Response(
            {
                "model": champion and {"id": champion.pk, "algorithm": champion.algorithm},
                "recommendations": _answer(by_customer),
                "ignored": ignored,
            }
        )


def _moment(context: dict[str, Any]) -> tuple[Moment, list[dict[str, str]]]:
    """The moment with our item numbers, and what is left out of it: a shop may know items before we do."""
    named = {f"/context/cart/{at}": one for at, one in enumerate(context.get("cart", ()))}
    if context.get("current_item") is not None:
        named["/context/current_item"] = context["current_item"]
    known = ids_by_external(set(named.values()))
    said = {
        "item": context.get("current_item"),
        "cart": context.get("cart"),
        "userAgent": context.get("user_agent"),
    }
    situation = context_of(None, at=context.get("time") or timezone.now(), raw=said)
    moment = replace(
        Moment.of(situation, item_ids=known),
        device=context.get("device") or situation.device.kind,
        at=context.get("time"),
        place=context.get("place", ""),
    )
    missing = {pointer: one for pointer, one in named.items() if one not in known}
    return moment, [{"pointer": pointer, "detail": no_such_item(one)} for pointer, one in missing.items()]


def _answer(by_customer: dict[str, list[selectors.Recommendation]]) -> list[dict[str, Any]]:
    wanted = {
        item_id
        for recommendations in by_customer.values()
        for found in recommendations
        for item_id in (found.item_id, found.reason_item_id)
        if item_id is not None
    }
    items = names(wanted)
    # Many items of a customer have the same reason: each is said once.
    say = cache(lambda kind, because, event: say_reason(kind, because=because, event=event))
    return [
        {
            "customer": external_id,
            "items": [_item(found, items, say) for found in recommendations if found.item_id in items],
        }
        for external_id, recommendations in by_customer.items()
    ]


def _item(
    found: selectors.Recommendation, items: dict[int, tuple[str, str]], say: Callable[[str, str, str], str]
) -> dict[str, Any]:
    because = items.get(found.reason_item_id) if found.reason_item_id is not None else None
    return {
        "item": items[found.item_id][0],
        "name": items[found.item_id][1],
        "score": found.score,
        "reason_kind": found.reason_kind,
        "reason": say(found.reason_kind, because[1] if because else "", found.reason_event),
        "reason_item": because[0] if because else None,
        "reason_event": found.reason_event if because else "",
    }
