"""`POST /api/v1/recommendations`."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.models import Scope
from personalization.catalog.selectors import ids_by_external
from personalization.catalog.selectors import items as catalog_items
from personalization.customers.selectors import find
from recommender import selectors
from recommender.context import Moment
from recommender.event_columns import DEVICES
from recommender.reasons import say_reason
from recommender.references import no_such_item
from recommender.rules import ALLOW, EXCLUDE, Rules
from recommender.rules_field import RulesField

MAX_CART = 100
MAX_CUSTOMERS = 100
MAX_COUNT = 100


class ItemField(serializers.CharField):
    """Our number of an item, from the shop's id."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        external_id = super().run_validation(data)
        if external_id is None:
            return None
        found = ids_by_external([external_id])
        if not found:
            raise serializers.ValidationError(no_such_item(external_id))
        return found[external_id]


class ItemsField(serializers.ListField):
    child = serializers.CharField(max_length=200)

    def to_internal_value(self, data: Any) -> list[Any]:
        external_ids = super().to_internal_value(data)
        found = ids_by_external(external_ids)
        if gone := {str(at): no_such_item(one) for at, one in enumerate(external_ids) if one not in found}:
            raise serializers.ValidationError(gone)
        return [found[one] for one in external_ids]


class ContextRequest(serializers.Serializer[Any]):
    """The moment in which the list is shown; each part may be missing."""

    current_item = ItemField(
        max_length=200, required=False, allow_null=True,
        help_text="Id of the item that is looked at; never recommended itself.",
    )  # fmt: skip
    cart = ItemsField(
        max_length=MAX_CART, required=False,
        help_text="Ids of the items in the cart; never recommended themselves.",
    )  # fmt: skip
    device = serializers.ChoiceField(choices=DEVICES, required=False)
    time = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When the list is shown; missing: now."
    )
    place = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="Country or city of the visitor."
    )


class RecommendationRequest(serializers.Serializer[Any]):
    customers = serializers.ListField(
        child=serializers.CharField(max_length=200), min_length=1, max_length=MAX_CUSTOMERS,
        help_text="Customer ids of your own shop. One that is not known is a visitor without a history: the "
        "items are personal with a current item or a cart, else popular.",
    )  # fmt: skip
    count = serializers.IntegerField(min_value=1, max_value=MAX_COUNT, default=6)
    # DRF takes declared fields off the class, so this hides nothing.
    context = ContextRequest(  # type: ignore[assignment]
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


class RecommendationResponse(serializers.Serializer[Any]):
    model = ServingModel(allow_null=True, help_text="Null before the first model was promoted.")
    recommendations = CustomerRecommendations(many=True)


class RecommendationsView(APIView):
    required_scope = Scope.RECOMMENDATIONS

    @extend_schema(
        operation_id="recommendations_create",
        request=RecommendationRequest,
        responses={200: RecommendationResponse},
        tags=["recommendations"],
    )
    def post(self, request: Request) -> Response:
        """The items each customer will most likely want now, with the reason for each."""
        body = RecommendationRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        customers = {external_id: find(external_id) for external_id in dict.fromkeys(asked["customers"])}
        known = {external_id: found.pk for external_id, found in customers.items() if found is not None}
        how: dict[str, Any] = {
            "k": asked["count"], "rules": asked["rules"], "context": _moment(asked.get("context", {})),
        }  # fmt: skip
        lists = selectors.recommend(set(known.values()), **how)
        visitors = selectors.recommend_popular(**how) if len(known) < len(customers) else []
        by_customer = {
            external_id: lists[known[external_id]] if external_id in known else visitors
            for external_id in customers
        }
        repeats = asked["rules"].bought != EXCLUDE
        champion = selectors.champion(repeats=repeats) or selectors.champion()
        return Response(
            {
                "model": champion and {"id": champion.pk, "algorithm": champion.algorithm},
                "recommendations": _answer(by_customer),
            }
        )


def _moment(context: dict[str, Any]) -> Moment:
    return Moment(
        current_item=context.get("current_item"), cart=tuple(context.get("cart", ())),
        device=context.get("device", ""), at=context.get("time"), place=context.get("place", ""),
    )  # fmt: skip


def _answer(by_customer: dict[str, list[selectors.Recommendation]]) -> list[dict[str, Any]]:
    wanted = {
        item_id
        for recommendations in by_customer.values()
        for found in recommendations
        for item_id in (found.item_id, found.reason_item_id)
        if item_id is not None
    }
    items = catalog_items(wanted)
    return [
        {
            "customer": external_id,
            "items": [_item(found, items) for found in recommendations if found.item_id in items],
        }
        for external_id, recommendations in by_customer.items()
    ]


def _item(found: selectors.Recommendation, items: dict[int, dict[str, Any]]) -> dict[str, Any]:
    because = items.get(found.reason_item_id) if found.reason_item_id is not None else None
    return {
        "item": items[found.item_id]["external_id"],
        "name": items[found.item_id]["name"],
        "score": found.score,
        "reason_kind": found.reason_kind,
        "reason": say_reason(
            found.reason_kind, because=because["name"] if because else "", event=found.reason_event
        ),
        "reason_item": because["external_id"] if because else None,
        "reason_event": found.reason_event if because else "",
    }
