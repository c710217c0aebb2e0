"""Every public name has an entry in the reference, with an example that the tests execute."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import pytest

import diptych

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from python_reference import ALIASES, python_page, text_of  # noqa: E402


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
