"""How far the laws of conversion hold, counted: ``python -m tests.oracles.measure [SOURCE [TARGET]]``.

For every pair of APIs: requests tried, refused, with a silent loss, with a loss of something that is there,
with an output that the SDK refuses under ``lossless``; then the commonest places, each with its smallest request.
"""

import argparse
import collections
import json
import warnings

from hypothesis import HealthCheck, Phase, given, settings

import diptych

from . import laws
from .sdk import TYPES, oracle

COLUMNS = ("tried", "refused", "silent", "overbooked", "unplaced", "order", "invalid", "breach", "changed", "crash")


def examples(strategy, count):
    found = []

    quick = {"database": None, "deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}

    @settings(**quick, max_examples=count, phases=[Phase.generate])
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return sorted({json.dumps(value): value for value in found}.values(), key=lambda value: len(json.dumps(value)))


def findings(value, source, target, kind):
    """Yield what one value breaks, as (column, place)."""
    try:
        made = laws.seen(value, source, target, kind)
    except laws.Refused as error:
        path, why, detail = error.args[0][-1]
        yield "refused", f"{laws.general(path or '?')} {why} {detail}"
        return
    except Exception as error:  # a crash is a finding
        yield "crash", f"{type(error).__name__}: {error}"
        return
    yield from (("silent", laws.general(path)) for path in laws.silent(value, made, source, target, kind))
    yield from (("overbooked", f"{laws.general(path)} {why}") for path, why, _ in laws.overbooked(value, made))
    yield from (("unplaced", f"{laws.general(path)} {why}") for path, why in laws.unplaced(value, made, source))
    yield from (("order", "") for _ in laws.disordered(value, made)[:1])
    if kind == "request":
        yield from (
            ("breach", f"{laws.general(path)} {why}") for path, _, why in laws.unbooked(value, made, source, target)
        )
    if fault := laws.invalid(value, made, source, target, kind):
        yield "invalid", fault
    if source == target and not laws.is_identity(value, made):
        yield "changed", str([*made.losses])


def measured(source, target, count, kind="request"):
    """Return how many values break each law, and per place how often with the smallest value."""
    rows, places = collections.Counter(), {}
    for value in examples(oracle(source, kind).values, count):
        rows["tried"] += 1
        broken = set(findings(value, source, target, kind))
        rows.update({column for column, _ in broken})
        for key in broken:
            places.setdefault(key, [0, value])[0] += 1
    return rows, places


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="a source, or a source and a target")
    parser.add_argument("-n", type=int, default=100, help="examples per pair")
    parser.add_argument("--kind", choices=laws.DOORS, default="request", help="what is converted")
    parser.add_argument("--worst", type=int, default=5, help="places shown per pair")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    source, target = (*asked.names, "", "")[:2]
    apis = {entry.name for entry in diptych.list_formats("api")} & set(TYPES)
    print(f"{'pair':26}", *(f"{column:>10}" for column in COLUMNS))
    for one in sorted(apis & {source or one for one in apis}):
        for two in sorted(apis & {target or two for two in apis}):
            rows, places = measured(one, two, asked.n, asked.kind)
            print(f"{one + ' → ' + two:26}", *(f"{rows[column]:10}" for column in COLUMNS))
            for (column, place), (often, value) in sorted(places.items(), key=lambda k: -k[1][0])[: asked.worst]:
                print(f"    {often:4} {column}: {place[:160]}\n         {json.dumps(value)[:300]}")


if __name__ == "__main__":
    main()
