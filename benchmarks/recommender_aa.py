"""How often would a model that is no better be promoted? The same recipe with another seed, on fresh shops.

Each pair has data of its own. The rule is the product's (`compare_rankings`): the paired 95 % interval of
NDCG@20 lies above zero. At most 5 % of the pairs may pass.
"""

from _run import parse_args, report
from scipy.stats import binomtest

from recommender.evaluation.false_promotions import count_false_promotions

PAIRS, QUICK_PAIRS = 200, 40
USERS = (300, 1_500)
RECIPES = {"als": {"factors": 8, "iterations": 5}, "bpr": {"factors": 8, "iterations": 30}}


def main() -> None:
    args = parse_args(__doc__)
    pairs = QUICK_PAIRS if args.quick else PAIRS
    figures: dict[str, object] = {"pairs": pairs}
    for n_users in USERS[: 1 if args.quick else None]:
        for name, parameters in RECIPES.items():
            wrong = count_false_promotions(name, parameters, pairs=pairs, n_users=n_users)
            high = binomtest(wrong, pairs).proportion_ci().high
            figures[f"{name}, {n_users} users"] = {"share": wrong / pairs, "share_at_most": round(high, 4)}
            print(
                f"{name:6}{n_users:6} users: {wrong} of {pairs} pairs promoted, {wrong / pairs:.1%}",
                flush=True,
            )
    report("recommender_aa", figures, {}, args=args, packages=("numpy", "implicit"))


if __name__ == "__main__":
    main()
