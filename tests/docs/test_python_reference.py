"""Every public name has an entry in the reference, with an example that the tests execute."""

from __future__ import annotations

import doctest
import inspect
import re
import sys
from functools import cached_property
from pathlib import Path

import pytest

import diptych

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from python_reference import ALIASES, MODULES, further_names, public_members, python_page, text_of  # noqa: E402


@pytest.mark.parametrize("name", diptych.__all__)
def test_every_public_name_has_an_example(name: str) -> None:
    examples = doctest.DocTestParser().get_examples(text_of(name))
    assert any(example.want for example in examples), f"{name} has no example with a result"


def test_every_public_name_has_one_entry() -> None:
    assert sorted(re.findall(r"^### (\w+)$", python_page(), re.MULTILINE)) == sorted(diptych.__all__)


@pytest.mark.parametrize("name", ALIASES)
def test_examples_of_names_without_docstring_run(name: str) -> None:
    test = doctest.DocTestParser().get_doctest(ALIASES[name], {}, name, None, 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_further_names_of_the_modules_have_entries() -> None:
    page = python_page()
    wanted = [f"{module}.{name}" for module in MODULES for name in further_names(module)]
    assert {"client.Cassette", "client.PROFILES", "client.azure_url", "testing.Server", "testing.cut"} <= set(wanted)
    assert sorted(re.findall(r"^### (\w+\.\w+)$", page, re.MULTILINE)) == sorted(wanted)


def test_every_method_is_shown_with_its_arguments() -> None:
    page = python_page()
    for cls in _classes():
        entry = re.split(rf"^### (?:\w+\.)?{cls.__name__}$", page, flags=re.MULTILINE)[1].partition("\n### ")[0]
        for name, member in public_members(cls).items():
            if isinstance(member, property | cached_property):
                assert f"| `.{name}` |" in entry
                continue
            shown = entry.partition(f"#### {cls.__name__}.{name}\n")[2].partition("```\n\n")[0]
            function = getattr(member, "__func__", member)
            arguments = list(inspect.signature(function).parameters)[not isinstance(member, staticmethod) :]
            assert shown, f"{cls.__name__}.{name}"
            assert all(argument in shown for argument in arguments), f"{cls.__name__}.{name}"


def _classes() -> list[type]:
    """Return the classes of the package itself, and those of the further names that no other is called like."""
    values = [getattr(diptych, name) for name in diptych.__all__ if name not in ALIASES]
    values += [getattr(getattr(diptych, module), name) for module in MODULES for name in further_names(module)]
    named = {of.__name__: of for of in reversed(values) if inspect.isclass(of)}
    return list(named.values())
