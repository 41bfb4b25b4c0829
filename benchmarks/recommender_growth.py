"""How recommenders grow with the data, and where they refuse: 10⁵, 10⁶ and 10⁷ interactions.

Every fit runs in a process of its own that reads the same made data from a file, so that its peak memory is
its own; imports, first calls (compiling) and making the data are not the subject. `said` is what the model
itself foretells by `needed_bytes`. A model that needs more than 4 GiB, the memory of a common worker, is
refused before anything is allocated; what it says is printed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from _recommender_data import make_purchases
from _run import parse_args, peak_mib, report, restart_peak

NAMES = ("popular", "item_knn", "als", "bpr", "ease")
# (users, items, interactions asked for; doubles are merged)
FULL = ((5_000, 2_000, 100_000), (50_000, 10_000, 1_000_000), (500_000, 20_000, 10_000_000))
QUICK = ((1_000, 500, 10_000), (5_000, 2_000, 100_000))
TINY = (200, 64, 2_000)
# From here on each size is twice the one before, in everything; nothing is fitted, only asked.
BEYOND = (1_000_000, 40_000, 20_000_000)
WORKER_MIB = 4096


def make(size: tuple[int, int, int], path: Path) -> None:
    import numpy as np

    train = make_purchases(size).train
    np.savez(path, indptr=train.indptr, items=train.items, weights=train.weights, n_items=train.n_items)


def read(path: Path):
    import numpy as np

    from recommender.algorithms import Interactions

    with np.load(path) as found:
        return Interactions(found["indptr"], found["items"], found["weights"], int(found["n_items"]))


def child(name: str, path: Path) -> None:
    """One fit in this process: seconds, MiB above the data, and the MiB it foretold; or why it refused."""
    from recommender.algorithms import NotEnoughMemoryError, get

    warnings.simplefilter("ignore")
    get(name)().fit(make_purchases(TINY).train)
    data = read(path)
    before = restart_peak()
    model = get(name)()
    model.memory_limit_mib = WORKER_MIB
    found: dict[str, object] = {
        "interactions": len(data.items),
        "said_mib": round(model.needed_bytes(*data.shape, len(data.items)) / 2**20),
    }
    start = time.perf_counter()
    try:
        model.fit(data)
    except NotEnoughMemoryError as error:
        print(json.dumps({**found, "refused": str(error)}))
        return
    found |= {"seconds": round(time.perf_counter() - start, 2), "mib": round(peak_mib() - before)}
    print(json.dumps(found))


def run(name: str, path: Path) -> dict[str, object]:
    command = [sys.executable, __file__, "--child", name, "--data", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(sizes: tuple[tuple[int, int, int], ...]) -> dict[str, list[dict[str, object]]]:
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        for users, items, asked in sizes:
            make((users, items, asked), path)
            for name in NAMES:
                found = run(name, path)
                rows[name].append({"users": users, "items": items, **found})
                took = f"{found['seconds']:8} s {found['mib']:6} MiB" if "mib" in found else found["refused"]
                print(f"{name:9} {found['interactions']:>11,} of {users:>9,} × {items:>6,} {took}", end="")
                print(f"  (said {found['said_mib']} MiB)" if found["said_mib"] else "")
    return rows


def refusals() -> dict[str, str]:
    """The first of ever doubled sizes that each model refuses on a worker of 4 GiB, in its own words."""
    from recommender.algorithms import NotEnoughMemoryError, get
    from recommender.algorithms._memory import refuse_beyond

    found = {}
    for name in NAMES:
        model, sizes = get(name)(), BEYOND
        while name not in found and model.needed_bytes(*sizes):
            try:
                needed = model.needed_bytes(*sizes)
                refuse_beyond(WORKER_MIB, needed, sizes, model.name, model.instead)
            except NotEnoughMemoryError as error:
                found[name] = str(error)
            sizes = tuple(2 * size for size in sizes)
    return found


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--child", choices=NAMES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)


def main() -> None:
    args = parse_args(__doc__, add=_options)
    if args.child:
        child(args.child, args.data)
        return
    rows = measure(QUICK if args.quick else FULL)
    refused = refusals()
    for said in refused.values():
        print(said)
    ratios = {}
    for name, found in rows.items():
        last, before = found[-1], found[-2]
        for key in ("seconds", "mib"):
            if key in last and before.get(key):
                ratios[f"{name}_{key}_for_ten_times_the_data"] = float(last[key]) / float(before[key])
    figures: dict[str, object] = {**rows, "refused": refused}
    report("recommender_growth", figures, ratios, args=args, packages=("numpy", "scipy", "implicit", "numba"))


if __name__ == "__main__":
    main()
