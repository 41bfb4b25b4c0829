"""Anonymous history joins on identification, by the rules of `customers.identity_rules`.

Two customers with ids of their own are never merged by what a client sends, unless the rule of customer ids
believes `alias` calls: a write key stands in every browser. All other joins are made by staff or the API.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from personalization.customers.identity import claim, known_identifiers, link_moving
from personalization.customers.identity_rules import Rule, is_meaningless, load_rules
from personalization.customers.models import Customer, Identifier, IdentifierKind, Merge, MergeReason
from personalization.customers.services import link, resolve
from personalization.events.merging import merge_customers

Pair = tuple[str, str]
ACTOR = "identity rules"


@transaction.atomic(savepoint=False)
def connect(pairs: Iterable[Pair], *, former: Iterable[Pair] = ()) -> dict[Pair, str]:
    """Joins (user id, anonymous id) pairs, and `former` pairs of (user id, previous id) from `alias`.

    Answers the pairs that were refused, with the reason. Doing it again changes nothing.
    """
    rules = load_rules()
    for user_id, anonymous_id in _unsettled(set(pairs)):
        _connect(user_id, anonymous_id, rules=rules)
    refused: dict[Pair, str] = {}
    for user_id, previous_id in sorted(set(former)):
        if user_id != previous_id and (reason := _alias(user_id, previous_id, rules=rules)):
            refused[user_id, previous_id] = reason
    return refused


def _unsettled(pairs: set[Pair]) -> list[Pair]:
    """Those where the anonymous id does not lead to the customer yet; most pairs of a day are settled."""
    if not pairs:
        return []
    visitors = known_identifiers(IdentifierKind.ANONYMOUS_ID, {anonymous for _, anonymous in pairs})
    users = dict(
        Customer.objects.filter(external_id__in={user for user, _ in pairs}).values_list("external_id", "pk")
    )
    return sorted((u, a) for u, a in pairs if users.get(u) is None or users[u] != visitors.get(a))


def _connect(user_id: str, anonymous_id: str, *, rules: dict[str, Rule]) -> None:
    rule = rules[IdentifierKind.ANONYMOUS_ID]
    if is_meaningless(user_id) or is_meaningless(anonymous_id):
        return
    identifier = (
        Identifier.objects.select_related("customer")
        .filter(kind=IdentifierKind.ANONYMOUS_ID, value=anonymous_id)
        .first()
    )
    if identifier is not None and identifier.shared_at:
        return
    visitor = identifier.customer if identifier else None
    nameless = visitor is not None and visitor.external_id is None
    known = Customer.objects.filter(external_id=user_id).values_list("pk", flat=True).first()
    if known is None and known_identifiers(IdentifierKind.USER_ID, [user_id]):
        known = resolve(user_ids=[user_id]).users[user_id]
    # A visitor simply gets the new name: nothing moves, experiments and ledgers keep their person.
    if known is None and visitor and nameless and rule.joins:
        visitor.external_id = user_id
        visitor.save(update_fields=["external_id", "updated_at"])
        return
    customer_id = known or resolve(user_ids=[user_id]).users[user_id]
    if identifier is None:
        link(customer_id, kind=IdentifierKind.ANONYMOUS_ID, value=anonymous_id)
    elif identifier.customer_id == customer_id:
        return
    elif nameless and rule.joins:
        _take_in([identifier.customer_id], into_id=customer_id, rule=rule, reason=MergeReason.ANONYMOUS_ID)
    elif not nameless:
        claim(identifier, customer_id=customer_id, most_customers=rule.most_customers)


def _alias(user_id: str, previous_id: str, *, rules: dict[str, Rule]) -> str:
    """Why it is refused, "" when it is done."""
    if is_meaningless(user_id) or is_meaningless(previous_id):
        return _("an id such as “null” or “guest” names nobody")
    previous = Customer.objects.filter(external_id=previous_id).first()
    current = Customer.objects.filter(external_id=user_id).first()
    if previous is None or current == previous:
        _connect(user_id, previous_id, rules=rules)
        link(resolve(user_ids=[user_id]).users[user_id], kind=IdentifierKind.USER_ID, value=previous_id)
        return ""
    if not rules[IdentifierKind.USER_ID].joins:
        return _("both ids belong to customers; they are not merged")
    customer_id = resolve(user_ids=[user_id]).users[user_id]
    merge_customers(previous.pk, into_id=customer_id, reason=MergeReason.ALIAS, actor=ACTOR)
    return ""


def _take_in(source_ids: Sequence[int], *, into_id: int, rule: Rule, reason: str) -> None:
    """Merges nameless profiles, as long as the customer has not taken in too many by ids of this kind."""
    taken = Merge.objects.filter(survivor_id=into_id, reason=reason, undone_at=None).count()
    undone = Merge.objects.filter(source_id__in=source_ids).exclude(undone_at=None)
    # What staff took apart is not put together again by the next message.
    apart = set(undone.filter(survivor_id=into_id).values_list("source_id", flat=True))
    for source_id in source_ids:
        if source_id in apart or taken >= rule.most_joins:
            continue
        merge_customers(source_id, into_id=into_id, reason=reason, actor=ACTOR)
        taken += 1


@transaction.atomic(savepoint=False)
def join_by_address(customer_ids: Iterable[int]) -> None:
    """Joins profiles without a customer id to the only customer with the same e-mail, then the same phone.

    An address that several customers have says nothing about who is who.
    """
    ids = set(customer_ids)
    rules = load_rules() if ids else {}
    for key, kind, reason in (
        (Lower("email"), IdentifierKind.EMAIL, MergeReason.EMAIL),
        (F("phone"), IdentifierKind.PHONE, MergeReason.PHONE),
    ):
        if ids and rules[kind].joins:
            _join_by(key, ids, rule=rules[kind], reason=reason)


def _join_by(key: Lower | F, ids: set[int], *, rule: Rule, reason: str) -> None:
    people = Customer.objects.filter(merged_into=None).annotate(address=key)
    addresses = set(people.filter(pk__in=ids).exclude(address="").values_list("address", flat=True))
    groups: dict[str, list[tuple[int, str | None]]] = defaultdict(list)
    for address, pk, external_id in (
        people.filter(address__in=addresses).order_by("pk").values_list("address", "pk", "external_id")
    ):
        groups[address].append((pk, external_id))
    for _address, group in sorted(groups.items()):
        named = [pk for pk, external_id in group if external_id]
        nameless = [pk for pk, external_id in group if not external_id]
        if len(group) > 1 and nameless and len(named) <= 1:
            target, *others = [*named, *nameless]
            _take_in(others, into_id=target, rule=rule, reason=reason)


def link_devices(devices: Iterable[tuple[int, str, str]]) -> None:
    """Devices and push tokens, as (customer, kind, id), lead to whoever used them last, or first, by rule.

    Where the rule lets a device join profiles, the nameless profile it led to becomes the customer's.
    """
    last: dict[str, dict[str, int]] = defaultdict(dict)
    for customer_id, kind, value in devices:
        if not is_meaningless(value) and len(value) <= 500:
            last[kind][value] = customer_id
    if not last:
        return
    rules = load_rules()
    for kind, owners in last.items():
        rule = rules[kind]
        if rule.joins:
            _join_devices(kind, owners, rule=rule)
        if rule.moves:
            link_moving(owners, kind=kind)
        else:
            for value, customer_id in sorted(owners.items()):
                link(customer_id, kind=kind, value=value)


def _join_devices(kind: str, owners: dict[str, int], *, rule: Rule) -> None:
    before = Identifier.objects.filter(kind=kind, value__in=owners, shared_at=None).select_related("customer")
    for identifier in before.order_by("value"):
        customer_id = owners[identifier.value]
        if identifier.customer_id == customer_id:
            continue
        if identifier.customer.external_id is None:
            _take_in([identifier.customer_id], into_id=customer_id, rule=rule, reason=kind)
        else:
            claim(identifier, customer_id=customer_id, most_customers=rule.most_customers)
