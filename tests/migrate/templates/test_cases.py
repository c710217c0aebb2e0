"""What each layout's files become: the cases are data, their goldens what the other tool gives."""

from pathlib import Path

import pytest
import yaml

from diptych import Template
from diptych.errors import MigrationError
from diptych.loss import Severity
from diptych.migrate import migrate_template
from diptych.migrate.templates import layout_names, migrate_templates

FOLDER = Path(__file__).parent / "cases"
CASES = {
    f"{path.stem}: {case['name']}": (path.stem, case)
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
}
GOOD = {name: case for name, case in CASES.items() if "messages" in case[1]}
REFUSED = {name: case for name, case in CASES.items() if "refused" in case[1]}


def migrated(layout, case):
    return migrate_template(case["text"], case["file"], layout=case.get("layout", "auto"))


@pytest.mark.parametrize("name", GOOD)
def test_what_a_file_becomes(name):
    layout, case = GOOD[name]
    found = migrated(layout, case)
    assert found.layout == layout
    rendered = Template.from_string(found.source).render(**case["inputs"])
    assert [[m["role"], m["content"]] for m in rendered.messages] == case["messages"], found.source
    assert rendered.is_chat is case.get("is_chat", True)
    assert [m.get("name") for m in rendered.messages] == case.get("names", [None] * len(rendered.messages))


@pytest.mark.parametrize("name", GOOD)
def test_what_is_lost(name):
    layout, case = GOOD[name]
    found = migrated(layout, case)
    lost = {loss.path: loss.kind for loss in found.losses if loss.severity > Severity.EXACT}
    assert lost == case.get("lost", {})
    exact = {loss.path: loss.kind for loss in found.losses if loss.severity is Severity.EXACT}
    assert case.get("exact", {}).items() <= exact.items()
    assert found.verdict == case.get("verdict", "lossy" if lost else "lossless")


@pytest.mark.parametrize("name", [name for name, (_, case) in GOOD.items() if "says" in case])
def test_what_the_front_matter_says(name):
    layout, case = GOOD[name]
    meta = Template.from_string(migrated(layout, case).source).metadata
    assert {key: meta.get(key) for key in case["says"]} == case["says"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    layout, case = REFUSED[name]
    with pytest.raises(MigrationError, match=case["refused"]) as caught:
        migrated(layout, case)
    assert case["file"] in str(caught.value)


@pytest.mark.parametrize("name", [name for name, (_, case) in CASES.items() if "SECRET" in case["text"]])
def test_no_secret_is_shown(name):
    _, case = CASES[name]
    try:
        shown = repr(migrate_templates(case["text"], case["file"], layout=case.get("layout", "auto")))
    except MigrationError as error:
        shown = f"{error!r} {error}"
    assert "SECRET" not in shown


def test_every_layout_has_its_cases():
    counted = {layout: [case for _, (name, case) in CASES.items() if name == layout] for layout in layout_names()}
    # Definitions in Python have a module of their own.
    assert all(len(cases) >= 5 for layout, cases in counted.items() if not layout.endswith("-python"))
