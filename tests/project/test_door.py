"""The public interface: what is public, and which arguments may go without their names."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import diptych

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "diptych", "diptych.client", "diptych.client.batch", "diptych.client.compat", "diptych.local", "diptych.migrate",
    "diptych.migrate.templates", "diptych.prices", "diptych.testing", "diptych.tokens",
)  # fmt: skip
#: What may stand without its name beside the first argument, and why.
POSITIONAL = {
    "count": {"model"}, "estimate": {"model"}, "fit": {"model"}, "to_messages": {"format"}, "to_prompt": {"format"},
    "Client": {"api_key"}, "AsyncClient": {"api_key"}, "Client.parse": {"schema"}, "AsyncClient.parse": {"schema"},
    "migrate_code": {"filename"}, "migrate_template": {"filename"}, "migrate_templates": {"filename"},
    "layout_of": {"filename"}, "is_template": {"filename"},
    "convert_shard": {"out", "spec"}, "convert_rows": {"spec"}, "convert_dataset": {"out", "spec"}, "plan_dataset": {"out", "spec"},
    "price_usage": {"usage"}, "why_unpriced": {"usage"},
    "run_batch": {"source", "out"}, "arun_batch": {"source", "out"}, "write_lines": {"path"},
}  # fmt: skip
#: Made by the library and not by its callers; and messages, which are values.
MADE = {
    "Template", "Rendered", "Stream", "AsyncStream", "Cassette.find", "MissingExtra.of", "Refusal.of", "Spec.resolved",
    "Message", "Message.of", "Writing",
}  # fmt: skip
#: Values: their fields stand in order, as a tuple's do. Settings are no such values.
SETTINGS = {"Budget", "Limits", "RateLimits", "Retries", "Timeouts", "Cassette", "Overrides", "ChatTemplate", "Library"}


def callables():
    """Yield every public function, constructor and method with its name."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", None) or [n for n in vars(module) if n[0] != "_"]:
            found = getattr(module, name)
            home = str(getattr(found, "__module__", ""))
            is_own = home.startswith("diptych" if hasattr(module, "__all__") else package)
            if not is_own or inspect.ismodule(found):
                continue
            if not inspect.isclass(found):
                yield name, found
                continue
            is_value = hasattr(found, "__dataclass_fields__") or issubclass(found, tuple | Exception)
            if name in SETTINGS or not is_value:
                yield name, found.__init__
            for method, function in vars(found).items():
                if method[0] != "_" and callable(getattr(function, "__func__", function)):
                    yield f"{name}.{method}", getattr(function, "__func__", function)


CALLABLES = {name: function for name, function in callables() if name not in MADE and callable(function)}


@pytest.mark.parametrize("name", CALLABLES)
def test_arguments_after_the_first_are_named(name):
    parameters = list(inspect.signature(CALLABLES[name]).parameters.values())
    ways = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [p.name for p in parameters if p.kind in ways and p.name not in ("self", "cls")]
    assert set(places[1:]) <= POSITIONAL.get(name, set())


def test_the_exceptions_are_exceptions():
    for name in POSITIONAL:
        assert name in CALLABLES


def test_public_names_are_few_sorted_and_resolve():
    assert diptych.__all__ == sorted(diptych.__all__)
    assert len(diptych.__all__) <= 70
    for name in (*diptych.__all__, *dir(diptych)):
        assert getattr(diptych, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = diptych.nothing


@pytest.mark.parametrize(
    "name", ["TextPart", "ImagePart", "AudioPart", "FilePart", "OtherPart", "FrozenMap", "Segment", "Example"]
)
def test_parts_live_in_the_model(name):
    assert name not in diptych.__all__
    assert getattr(diptych.model, name).__module__ == "diptych.model"


def moved():
    """Yield the old and new names of the upgrade page's table of modules."""
    page = (ROOT / "docs" / "how-to" / "upgrade.md").read_text("utf-8").split("## Modules")[1]
    for old, new in re.findall(r"^\| (.*) \| (.*) \|$", page, re.MULTILINE):
        if "`" in old:
            yield re.findall(r"`([\w.]+)`", old), re.findall(r"`([\w.]+)`", new)


@pytest.mark.parametrize(("old", "new"), list(moved()))
def test_the_upgrade_page_names_modules_that_exist(old, new):
    for name in new:
        importlib.import_module(name)
    for name in old:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)
