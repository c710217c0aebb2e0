"""How far the laws of conversion hold, counted: ``python -m tests.oracles.measure [SOURCE [TARGET]] [-n EXAMPLES]``.

For every pair of APIs: requests tried, refused, with a silent loss, with a loss of something that is there,
with an output that the SDK refuses under ``lossless``; then the commonest places, each with its smallest request.
"""

import argparse
import collections
import json
import warnings

from hypothesis import HealthCheck, Phase, given, settings

import diptych

from .laws import Refused, general, is_lossless, overbooked, seen, silent, unplaced
from .requests import MAKERS, oracle

COLUMNS = ("tried", "refused", "silent", "overbooked", "unplaced", "invalid", "breach", "crash")


def examples(strategy, count):
    found = []

    @settings(
        max_examples=count, database=None, phases=[Phase.generate], deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return sorted({json.dumps(value): value for value in found}.values(), key=lambda value: len(json.dumps(value)))


def findings(value, source, target):
    """Yield what one value breaks, as (column, place)."""
    try:
        made = seen(value, source, target)
    except Refused as error:
        path, kind, detail = error.args[0][0]
        yield "refused", f"{general(path or '?')} {kind} {detail}"[:160]
        return
    except Exception as error:  # a crash is a finding
        yield "crash", f"{type(error).__name__}: {error}"[:160]
        return
    yield from (("silent", general(path)) for path in silent(value, made, source, target))
    yield from (("overbooked", f"{general(above)} {kind}") for above, kind, _ in overbooked(value, made))
    yield from (("unplaced", f"{general(path)} {kind}") for path, kind in unplaced(value, made))
    if is_lossless(made) and isinstance(made.output, dict) and (fault := oracle(target).fault(made.output)):
        yield "invalid", fault[:160]


def measured(source, target, count):
    """Return how many values break each law, and per place how often with the smallest value."""
    rows, kinds = collections.Counter(), {}
    for value in examples(oracle(source).values, count):
        rows["tried"] += 1
        broken = set(findings(value, source, target))
        rows.update({column for column, _ in broken})
        for key in broken:
            kinds.setdefault(key, [0, value])[0] += 1
    return rows, kinds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="a source, or a source and a target")
    parser.add_argument("-n", type=int, default=100, help="examples per pair")
    parser.add_argument("--worst", type=int, default=5, help="places shown per pair")
    given_ = parser.parse_args()
    warnings.simplefilter("ignore")
    source, target = (*given_.names, "", "")[:2]
    apis = {entry.name for entry in diptych.list_formats("api")} & set(MAKERS)
    print(f"{'pair':26}", *(f"{column:>10}" for column in COLUMNS))
    for one in sorted(apis & {source or one for one in apis}):
        for two in sorted(apis & {target or two for two in apis}):
            rows, kinds = measured(one, two, given_.n)
            print(f"{one + ' → ' + two:26}", *(f"{rows[column]:10}" for column in COLUMNS))
            for (column, place), (often, value) in sorted(kinds.items(), key=lambda k: -k[1][0])[: given_.worst]:
                print(f"    {often:4} {column}: {place}\n         {json.dumps(value)[:300]}")


if __name__ == "__main__":
    main()
