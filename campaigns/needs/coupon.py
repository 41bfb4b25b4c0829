"""`{% coupon "spring" as code %}`: a code of its own for each message, from a pool."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.coupons.services import take_codes
from campaigns.models import CouponCode, CouponPool
from campaigns.needs._base import Asked, Given, Provider, Scene
from personalization.content.errors import UsedUp
from personalization.content.needs import Need

EXAMPLE = "EXAMPLE-CODE"


class CouponProvider(Provider):
    name = "coupon"

    def problems(self, need: Need) -> Iterator[str]:
        pools = CouponPool.objects.filter(archived_at=None)
        if not pools.filter(name=need.name).exists():
            names = ", ".join(pools.values_list("name", flat=True)[:20]) or _("none")
            yield _("there is no such pool; there are: %(names)s") % {"names": names}

    def warnings(self, need: Need) -> Iterator[str]:
        pool = CouponPool.objects.filter(archived_at=None, name=need.name).first()
        if pool is None:
            return
        left = CouponCode.objects.filter(pool=pool, taken_at=None)[: pool.low_at].count()
        if left < pool.low_at or not left:
            yield ngettext("only %(n)s code is left", "only %(n)s codes are left", left) % {"n": left}

    def load(self, asked: Sequence[Asked], scene: Scene) -> Mapping[tuple[int, str], Given]:
        by_pool: dict[str, list[Asked]] = defaultdict(list)
        for one in asked:
            by_pool[one.need.name].append(one)
        pools = {pool.name: pool for pool in CouponPool.objects.filter(name__in=by_pool, archived_at=None)}
        found: dict[tuple[int, str], Given] = {}
        for name, several in by_pool.items():
            ids = [one.delivery_id for one in several]
            codes = self._codes(pools.get(name), ids, scene)
            for one in several:
                code = codes.get(one.delivery_id)
                none = UsedUp(f"coupon “{name}”: no code left")
                found[one.key] = Given(none) if code is None else Given(code, code)
        return found

    def _codes(self, pool: CouponPool | None, ids: list[int], scene: Scene) -> Mapping[int, str]:
        if pool is None:
            return {}
        if scene.is_real:
            return take_codes(pool, ids, at=scene.at)
        if not scene.run_id:
            return dict.fromkeys(ids, EXAMPLE)
        # A rehearsal locks nothing that a real message may need; it only counts on.
        free = CouponCode.objects.filter(pool=pool, taken_at=None).count()
        rest = scene.pretended.setdefault(pool.name, free)
        scene.pretended[pool.name] = max(0, rest - len(ids))
        return dict.fromkeys(ids[:rest], EXAMPLE)
