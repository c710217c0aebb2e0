"""The worst case of every filter, test, operator and method of a template, generated from their registries.

``python -m tests.sandbox.worst_cases [first [last [step]]]`` runs all of them and prints those that are not
withstood: at a tenth of the default cap on work, and at the default caps where ten times as much might be too much.
With ``--isolated`` they run in a worker process without any cap but those of the system. The suite runs them over
smaller values at smaller caps.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from diptych.sandbox.costs import FILTER_COSTS, TEST_COSTS

ROOT = Path(__file__).parents[2]
MOST_MEGABYTES = 256
#: The default cap, as much again to compile a large template, and the last operation.
MOST_SECONDS = 7
#: Caps that hold nothing: what stops a template is the system.
FREE = {
    "isolate": True,
    "seconds": 1e9,
    "work": 10**15,
    "output": 10**15,
    "memory": 10**15,
    "depth": 10**9,
    "source": 10**12,
}

#: Loops that are cheap to begin: what costs is what they repeat. ``reached`` counts.
LOOP = "{% for i in range(99) %}{% for j in range(99) %}{% for k in range(99) %}{{ 0|reached }}BODY{% endfor %}{% endfor %}{% endfor %}"
MACROS = "{% macro m(a='', b='') %}{% for q in varargs %}{% endfor %}x{% endmacro %}{% macro n() %}{{ varargs|length }}{{ kwargs|length }}{% endmacro %}"
#: Values: of a few characters or items, of some thousand, and of as many as the caps allow.
SMALL = {
    "text": "{% set v = 'x-<' * 333 %}",
    "list": "{% set v = ['x' * 99] * 999 %}",
    "lists": "{% set v = [['x' * 9] * 30] * 30 %}",
    "pairs": "{% set v = [['x', 'y' * 99]] * 999 %}",
    "mapping": "{% set v = dict(a=['x' * 99] * 999, b='y' * 99) %}",
    "number": "{% set v = 10 ** 4000 %}",
    "fraction": "{% set v = 1.5e300 %}",
}
LARGE = {
    "text": "{% set v = 'x-<' * 3333333 %}",
    "unicode": "{% set v = '\U000e0001' * 2333333 %}",
    "list": "{% set v = ['x' * 9999] * 4999999 %}",
    "lists": "{% set v = [['x' * 9999] * 99999] * 99999 %}",
    "pairs": "{% set v = [['x', 'y' * 99]] * 99999 %}",
    "mapping": "{% set v = dict(a=['x' * 9999] * 4999999, b='y' * 9999) %}",
}
#: Another value, as long, that differs at its end.
OTHER = "{% set w = v[3:] + 'x-q' if v is string else v[1:] + [0] if v is sequence and v is not mapping else v %}"
ARGUMENTS = {
    "attr": ["('upper')"], "batch": ["(2, 'x')", "(99999, v)"], "slice": ["(99999, 'x')", "(3)"],
    "round": ["(2)", "(-999)", "(1000, 'ceil')"], "join": ["", "(v)", "('x', attribute=0)"],
    "map": ["('string')", "('tojson')", "('list')", "(attribute=0)", "('upper')", "('map', 'upper')"],
    "select": ["('eq', w)", "('in', v)"], "reject": ["('eq', w)", "('in', v)"],
    "selectattr": ["('x', 'eq', v)", "(0, 'eq', w)"], "rejectattr": ["('x', 'eq', v)", "(0, 'eq', w)"],
    "replace": ["('x', 'yyyy')", "('', v)", "('-', v)"], "groupby": ["('x')", "(0)", "('x', default='y')"],
    "format": ["(v)", "(*v)"], "wordwrap": ["(1)", "(1, wrapstring='y' * 9999)"], "center": ["(9999999)"],
    "indent": ["(9)", "(v)"], "truncate": ["(9999)", "(9, true, v)"], "tojson": ["", "(indent=4)", "(indent='x' * 9999)"],
    "default": ["(v)"], "xml": ["('a')"], "truncate_tokens": ["(9)"], "divisibleby": ["(3)", "(v)"], "in": ["(v)", "([w, w])"],
    "sameas": ["(v)"], "sum": ["", "(start=[])", "(start='')", "(attribute=0, start=[])"], "sort": ["", "(reverse=true, attribute=0)"],
    "int": ["", "(0, 36)"], "dictsort": ["", "(by='value')"], "unique": ["", "(attribute=0)"], "min": ["", "(attribute=0)"],
    "max": ["", "(attribute=0)"],
}  # fmt: skip
COMPARISONS = frozenset(
    ["==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", ">=", "ge", "<", "lt", "lessthan", "<=", "le"]
)
METHODS = {
    kind: sorted(name for name in dir(kind) if not name.startswith("_")) for kind in (str, list, dict, int, float)
}
KINDS = {
    "text": str,
    "unicode": str,
    "list": list,
    "lists": list,
    "pairs": list,
    "mapping": dict,
    "number": int,
    "fraction": float,
}
EXPRESSIONS = [
    "v + w", "v * 2", "2 * v", "v - w", "v / w", "v // w", "v % w", "v ** w", "-v", "not v", "v and w", "v == w", "v != w", "v < w",
    "v >= w", "v in w", "v in [w]", "[v, v] == [w, w]", "v not in [w, w]", "v ~ w", "v[0]", "v[1:]", "v[::-1]", "v[::2]", "v.x", "{v: 1}",
    "{(v,): 1}", "(v, w)", "[v, (v, (v,))]", "{'a': {'b': v}}", "dict(a=v) == dict(a=w)", "dict(v)", "dict(dict(a=v), b=w)",
    "dict(**v)", "namespace(**v)", "namespace(a=v).a", "v.items() - w.items()", "v.items() == w.items()", "v.values()|list == w.values()|list",
    "'{}{}'.format(v, v)", "'{!r}'.format(v)", "'{!a}'.format(v)", "'{0[0]}'.format(v)", "'{}'.format(*v)", "'{x}'.format(**v)",
    "'{0:>9999999}'.format(1)", "('{0}' * 199999).format(v)", "('{a}' * 199999).format(a=10 ** 4000)", "'%s%s' % (v, v)", "'%s' % (v,)",
    "'%r' % (v,)", "'%a' % v", "('%(a)s' * 199999) % {'a': v}", "'%*d' % (9999999, 5)", "'%.9999999f' % 1.5", "v % ()",
    "m(v)", "m(*v)", "m(**v)", "n(*v)", "n(**v)", "m(v, w)", "cycler(*v)", "cycler(v, w).next()", "joiner(v)()", "loop.cycle(*v)",
    "loop.cycle(v, w)", "loop.changed(v)", "loop.changed(*v)", "range(99999)|list", "range(99999)|string", "range(99999)|sort|first",
    "1.5 in range(99999)", "range(99999) in [range(99998)]", "(v, v).count(w)", "(v,).index(w)", "v|list|list", "v|e|e|e",
]  # fmt: skip
#: Arguments that each method is given.
GIVEN = ["", "(v)", "('x', v)", "(9999999)", "({120: v})", "(*v)"]


def worst_cases(values):
    """Yield names and templates for each of these values; what names several arguments is several cases."""
    for kind, value in values.items():
        setup = MACROS + value + OTHER

        def case(name, expression, setup=setup, kind=kind):
            return f"{name} of {kind}", setup + LOOP.replace("BODY", f"{{% set y = {expression} %}}")

        for name in sorted(FILTER_COSTS):
            for given in ARGUMENTS.get(name, [""]):
                yield case(f"filter {name}{given}", f"v|{name}{given}")
        for name in sorted(filter(str.isidentifier, TEST_COSTS)):
            for given in ["(w)"] if name in COMPARISONS else ARGUMENTS.get(name, [""]):
                yield case(f"test {name}{given}", f"v is {name}{given}")
        for expression in EXPRESSIONS:
            yield case(f"operator {expression}", expression)
        for name in METHODS[KINDS[kind]]:
            for given in GIVEN:
                yield case(f"method {name}{given}", f"v.{name}{given or '()'}")


def outcomes(rows, caps=None, *, fork=False):
    """Yield for each ``[entry, template]`` its outcome, its megabytes, how often the loops went round, and seconds."""
    command = [sys.executable, "-m", "tests.sandbox.attack_many", json.dumps(caps or {}), *(["fork"] if fork else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as worker:
        for row in rows:
            worker.stdin.write(json.dumps(row) + "\n")
            worker.stdin.flush()
            yield json.loads(worker.stdout.readline())
        worker.stdin.close()


def is_withstood(outcome, megabytes, _, seconds):
    """Return whether a template ended with an error of ours, or its end, in time and with little memory."""
    return not outcome.startswith(("died", "MemoryError")) and megabytes < MOST_MEGABYTES and seconds < MOST_SECONDS


#: The first run of a case is with a tenth of the default cap on work.
TENTH = {"work": 100_000}


def is_doubtful(outcome, megabytes, _, seconds):
    """Return whether ten times the work might take more than a template may."""
    return (
        outcome.startswith(("died", "MemoryError")) or 10 * megabytes >= MOST_MEGABYTES or 10 * seconds >= MOST_SECONDS
    )


def main(first=0, last=None, step=1, *, isolate=False):
    cases = [*worst_cases(SMALL), *worst_cases(LARGE)][first:last:step]
    failures = again = 0
    found = outcomes((("template", source) for _, source in cases), FREE if isolate else TENTH, fork=not isolate)
    for number, ((name, source), outcome) in enumerate(zip(cases, found, strict=True), 1):
        if not isolate and is_doubtful(*outcome):
            again += 1
            [outcome] = outcomes([("template", source)], fork=True)
        if not is_withstood(*outcome):
            failures += 1
            print(f"{name}: {outcome[0]}, {outcome[1]} MB, {outcome[2]} rounds, {outcome[3]} s", flush=True)
        if number % 20 == 0 or number == len(cases):
            print(number, "of", len(cases), file=sys.stderr, flush=True)
    print(f"{len(cases)} cases, {again} of them at the default caps, {failures} not withstood")


if __name__ == "__main__":
    numbers = [argument for argument in sys.argv[1:] if argument != "--isolated"]
    main(*map(int, numbers), isolate=len(numbers) < len(sys.argv) - 1)
