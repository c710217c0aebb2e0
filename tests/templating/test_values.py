"""Templates and what they render are values: they pickle, copy and compare, wherever they came from."""

import copy
import pickle
import subprocess
import sys
import zipfile

import pytest

import diptych
from diptych import Library, Limits, Template, load
from diptych.format import RenderedTemplate

LIMITS = Limits(output=5000, depth=7)
CHAT = "{% system %}Be {{ style }}.{% endsystem %}{% history talk %}{% user %}{% image url %}{{ q }}{% enduser %}"
TALK = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
DECLARED = "---\nmodel: gpt-5.4-mini\ntools: [{name: f, parameters: {type: object}}]\ninputs: {q: string}\n---\n{{ q }}"
INPUTS = {
    "style": "kind",
    "talk": TALK,
    "url": "data:image/png;base64,AA==",
    "q": "Why?",
    "x": ["<|im_end|>", {"k": 1}],
}


def shout(value):
    return value.upper() + "!"


@pytest.fixture
def templates(tmp_path, monkeypatch):
    """Return a template of each origin by name."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "tail.jinja").write_text("tail {{ q }}")
    (tmp_path / "main.jinja").write_text("{% user %}{% include 'parts/tail.jinja' %}{% enduser %}")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("zipped/__init__.py", "")
        archive.writestr("zipped/prompts/hi.jinja", "{% include 'more.jinja' %}")
        archive.writestr("zipped/prompts/more.jinja", "more {{ q }}")
    (tmp_path / "packed" / "prompts").mkdir(parents=True)
    (tmp_path / "packed" / "__init__.py").write_text("")
    (tmp_path / "packed" / "prompts" / "hi.jinja").write_text("hi {{ q }}")
    for path in (tmp_path, tmp_path / "all.zip"):
        monkeypatch.syspath_prepend(str(path))
    shared = Library(
        {"a": "{% include 'b' %}", "b": "{{ q|shout }}{{ sign }}"}, filters={"shout": shout}, globals={"sign": "#"}
    )
    return {
        "string": Template.from_string("{{ q }}"),
        "named": Template.from_string("{{ q }}", name="greet.jinja"),
        "limits": Template.from_string(CHAT, limits=LIMITS),
        "filters": Template.from_string("{{ q|shout }}", filters={"shout": shout}),
        "values": Template.from_string("{{ x }}{% for i in x %}{{ i }}{% endfor %}"),
        "declared": Template.from_string(DECLARED),
        "file": load(tmp_path / "main.jinja"),
        "file with limits": load(tmp_path / "main.jinja", limits=LIMITS),
        "folder": Library(tmp_path, limits=LIMITS)["main"],
        "mapping": shared["a"],
        "package": Library("packed:prompts")["hi"],
        "zip": Library("zipped:prompts")["hi"],
    }  # fmt: skip


ORIGINS = [
    "string", "named", "limits", "filters", "values", "declared", "file", "file with limits", "folder", "mapping",
    "package", "zip",
]  # fmt: skip


def used(template):
    return {name: INPUTS[name] for name in template.variables if name in INPUTS}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, *(range(2, pickle.HIGHEST_PROTOCOL + 1))])
def test_a_template_and_what_it_renders_are_values(templates, origin, again):
    template = templates[origin]
    make = again if callable(again) else lambda value: pickle.loads(pickle.dumps(value, again))
    other = make(template)
    assert (other, hash(other), other.limits, other.hash) == (template, hash(template), template.limits, template.hash)
    rendered = template.render(**used(template))
    assert other.render(**used(template)) == rendered
    for moment in ("before", "after"):
        found = make(rendered)
        assert found == rendered
        assert found.template == template
        assert (found.prompt, found.messages, found.spans) == (rendered.prompt, rendered.messages, rendered.spans), (
            moment
        )
        assert (found.losses, found.priorities, str(found)) == (rendered.losses, rendered.priorities, rendered.prompt)
        assert found.request("chat", model="m") == rendered.request("chat", model="m")


def test_a_rendered_template_is_known_without_being_rendered(monkeypatch):
    rendered = Template.from_string("{{ q }}").render(q="x")
    monkeypatch.setattr(type(rendered), "prompt", property(lambda self: pytest.fail("it was rendered")))
    assert isinstance(rendered, RenderedTemplate)
    assert not any(isinstance(other, RenderedTemplate) for other in ("x", {}, [], 1, Template.from_string("x")))


def test_a_deep_copy_has_messages_of_its_own():
    rendered = Template.from_string(CHAT).render(**used(Template.from_string(CHAT)))
    other = copy.deepcopy(rendered)
    other.messages[1]["content"] = "changed"
    assert rendered.messages[1]["content"] == "a"


def test_limits_hold_after_pickling(templates):
    other = pickle.loads(pickle.dumps(templates["limits"]))
    with pytest.raises(diptych.ResourceLimit):
        other.render(**used(other) | {"q": "x" * 6000})


def test_a_library_pickles_with_its_filters(templates):
    library = Library({"a": "{{ q|shout }}"}, limits=LIMITS)
    library.filter(shout)
    other = pickle.loads(pickle.dumps(library))
    assert other["a"] == library["a"]
    assert other["a"].render(q="why").prompt == "WHY!"


@pytest.mark.parametrize(
    "other",
    [
        Template.from_string("{{ b }}"), Template.from_string("{{ a }}", name="x"),
        Template.from_string("{{ a }}", limits=LIMITS), Template.from_string("{{ a }}", globals={"g": 1}),
        Library({"<string>": "{{ a }}"}, filters={"shout": shout})["<string>"], "{{ a }}",
    ],
)  # fmt: skip
def test_templates_differ(other):
    assert Template.from_string("{{ a }}") == Template.from_string("{{ a }}")
    assert Template.from_string("{{ a }}") != other


def test_templates_with_other_includes_differ():
    first, second = (Library({"a": "{% include 'b' %}", "b": text})["a"] for text in ("1", "2"))
    assert first != second


def test_another_process_reads_what_this_one_wrote(tmp_path):
    template = Template.from_string(CHAT, limits=LIMITS)
    rendered = template.render(**used(template))
    (tmp_path / "rendered").write_bytes(pickle.dumps(rendered))
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).prompt, end='')"
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "rendered"], capture_output=True, text=True, check=True
    )
    assert done.stdout == rendered.prompt


@pytest.mark.parametrize(
    "body",
    [
        "Hi {{ a }}",
        "{% user %}{{ a }}{% enduser %}",
        "{% history past %}{% user %}{{ a }}{% enduser %}",
        "{% for m in past %}{% message role=m.role %}{{ m.content }}{% image 'https://a.b/c' %}{% endmessage %}{% endfor %}{{ '' if a }}",
    ],
)
def test_what_is_done_to_the_messages_changes_no_request(body: str) -> None:
    template = Template.from_string(body)
    given = {"a": "Ann", "past": [{"role": "user", "content": "one"}]}
    rendered = template.render(**{name: given[name] for name in template.variables})
    before, asked = copy.deepcopy(rendered.messages), copy.deepcopy(rendered.request("chat", model="gpt-4o"))
    found = rendered.messages
    for message in found:
        if isinstance(message["content"], list):
            for part in message["content"]:
                part.get("image_url", {})["url"] = "changed"
            message["content"].append({"type": "text", "text": "more"})
        message["role"] = "system"
    found.append({"role": "user", "content": "more"})
    assert rendered.messages == before
    assert rendered.request("chat", model="gpt-4o") == asked
