"""Which bindings reach a name: never too few, as running the program by every way through it shows."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

import libcst as cst

from diptych.migrate.code import _parsed
from diptych.migrate.code.webs import reaching

BLOCKS = st.recursive(
    st.sampled_from(["bind", "bind", "read", "read", "fail", "leave"]),
    lambda inner: st.tuples(
        st.sampled_from(["if", "else", "try", "finally", "with", "suppress", "loop"]),
        *[st.lists(inner, min_size=1, max_size=3)] * 2,
    ),
    max_leaves=7,
)


def lines_of(block, number, depth, in_loop):
    """Write a block; every binding has a number of its own, and every read says where it stands."""
    pad = "    " * depth
    if isinstance(block, str):
        n = next(number)
        last = "break" if in_loop and n % 2 else "return"
        said = {"bind": f"x = {n}", "read": f"seen({n}, x)", "fail": "may_fail()", "leave": f"if choose(): {last}"}
        return [pad + said[block]]
    kind, first, second = block
    one = [line for each in first for line in lines_of(each, number, depth + 1, in_loop or kind == "loop")]
    two = [line for each in second for line in lines_of(each, number, depth + 1, in_loop)]
    heads = {
        "if": ("if choose():", None), "else": ("if choose():", "else:"), "try": ("try:", "except ValueError:"),
        "finally": ("try:", "finally:"), "with": ("with held():", None), "suppress": ("with suppress():", None),
        "loop": ("while choose():", None),
    }[kind]  # fmt: skip
    return [pad + heads[0], *one, *([pad + heads[1], *two] if heads[1] else [])]


def ways(source):
    """Run a program by the ways through it and return which binding each read has seen."""
    code = compile(source, "program", "exec")
    seen = set()
    for bits in itertools.product([False, True], repeat=4):
        choices = iter(bits)

        def may_fail(choices=choices):
            if next(choices, False):
                raise ValueError

        names = {"choose": lambda choices=choices: next(choices, False), "may_fail": may_fail}
        names |= {"held": contextlib.nullcontext, "suppress": lambda: contextlib.suppress(ValueError)}
        names["seen"] = lambda at, value: seen.add((at, value))
        exec(code, names)
        try:
            names["run"]()
        except (ValueError, UnboundLocalError):
            continue
    return seen


@given(st.lists(BLOCKS, min_size=2, max_size=3))
def test_what_a_name_reads_in_any_run_reaches_it(blocks):
    number = itertools.count()
    body = [line for block in blocks for line in lines_of(block, number, 1, in_loop=False)]
    text = "\n".join(["def run():", "    x = -1", *body, "    seen(-2, x)", ""])
    source = _parsed(text, "program")
    found = set()
    for load in source.loads.get("x", ()):
        at = int(source.code(source.parent(source.parent(load)).args[0].value))
        for binding in reaching(source, load):
            holder = source.enclosing(binding, cst.Assign)
            found.add((at, int(source.code(holder.value))))
    assert ways(text) <= found


def test_a_handler_that_binds_anew_keeps_what_failed_away():
    text = "def run():\n    try:\n        x = 1\n        x = 2\n    except E:\n        x = 3\n    seen(x)\n"
    source = _parsed(text, "program")
    (load,) = source.loads["x"]
    values = [source.code(source.enclosing(b, cst.Assign).value) for b in reaching(source, load)]
    assert values == ["2", "3"]
