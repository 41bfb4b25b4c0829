"""Hashing 1,000,000 customer ids into [0, 1).

Ours beside the same specification one id at a time, and beside the least a hash of this kind can
cost: one XOR and one multiplication per character in numpy, with the text already as numbers.
"""

from _run import in_turn, parse_args, report, timed


def main() -> None:
    args = parse_args(__doc__)
    import numpy as np

    from experiments.assignment import PRIME, hash_fraction, hash_fractions

    n = 200_000 if args.quick else 1_000_000
    sample = n // 10
    ids = [f"customer-{number}@example.com" for number in range(n)]
    ours = hash_fractions("benchmark", ids[:sample]).tolist()
    assert ours == [hash_fraction("benchmark", value) for value in ids[:sample]], (
        "vectorised and scalar differ"
    )

    # All characters of all ids, already as numbers: no decoding, no unequal lengths, no second hash.
    length = len(ids[-1])
    characters = np.full((length, n), 101, dtype=np.uint32)
    hashes = np.empty(n, dtype=np.uint32)

    def bare() -> None:
        hashes[:] = 0x811C9DC5
        for row in characters:
            np.bitwise_xor(hashes, row, out=hashes)
            np.multiply(hashes, np.uint32(PRIME), out=hashes)

    seconds = in_turn({"ours": lambda: hash_fractions("benchmark", ids), "bare": bare}, rounds=5)
    scalar = timed(lambda: [hash_fraction("benchmark", value) for value in ids[:sample]]) * n / sample
    figures: dict[str, object] = {
        "ids": n,
        "ids_per_second": round(n / seconds["ours"]),
        "seconds": round(seconds["ours"], 3),
        "scalar_seconds": round(scalar, 3),
        "bare_numpy_seconds": round(seconds["bare"], 3),
    }
    report(
        "assignment",
        figures,
        {
            "scalar_over_ours": scalar / seconds["ours"],
            "ours_over_bare_numpy": seconds["ours"] / seconds["bare"],
        },
        args=args,
        packages=("numpy",),
    )


if __name__ == "__main__":
    main()
