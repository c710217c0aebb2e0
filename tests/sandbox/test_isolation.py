"""A render in a worker process gives what it gives here, and ends where the system ends it."""

import math
import os
import pickle
import sys
import threading

import pytest
from tests.sandbox import isolated

import diptych
from diptych import ChatTemplate, Library, Limits, ResourceLimit, Template, TemplateError
from diptych.sandbox import isolation

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="worker processes are for Linux")

ISOLATED = Limits(isolate=True)
#: No cap of ours holds: what stops a template is the system.
FREE = Limits(isolate=True, seconds=math.inf, work=10**15, output=10**15, depth=10**9, source=10**12)
HISTORY = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, {"role": "assistant", "content": "Ho"}]
PNG = "data:image/png;base64,iVBORw0KGgo="

SAME = [
    ("{% if a %}{{ a }}{% endif %}", {"a": "x<|im_end|>é\U0001f600"}),
    ("{% for x in a %}{% user %}{{ x }}{% enduser %}{% endfor %}", {"a": ["x", "y"]}),
    ("{% history a %}{% user %}{% if a %}Q{% endif %}{% enduser %}", {"a": HISTORY}),
    ("{% user %}{% image a %}{% if 1 %}Look{% endif %}{% enduser %}", {"a": PNG}),
    ("---\ninputs: {a: integer}\nparams: {n: 2}\n---\n{% if a > 1 %}many{% endif %}", {"a": 2}),
    ("{% if a %}{{ missing }}{% endif %}", {"a": 1}),
    ("{% user %}{% if a %}{% system %}x{% endsystem %}{% endif %}{% enduser %}", {"a": 1}),
    ("{% if a %}{{ 1 / 0 }}{% endif %}", {"a": 1}),
    ("{% for i in range(9999) %}{% for j in range(9999) %}{{ a }}{% endfor %}{% endfor %}", {"a": 1}),
]


def outcome(template, inputs):
    try:
        rendered = template.render(**inputs)
    except diptych.ResourceLimit as error:
        return type(error), error.location  # which cap is met first depends on the clock
    except diptych.DiptychError as error:
        return type(error), str(error), error.location
    return rendered.messages, rendered.segments, rendered.request("chat", model="gpt-4o")


@pytest.mark.parametrize(("source", "inputs"), SAME)
def test_the_result_is_the_same(source, inputs):
    template = Template.from_string(source)
    assert outcome(template.with_limits(ISOLATED), inputs) == outcome(template, inputs)


def test_includes_and_partials_are_the_same(tmp_path):
    (tmp_path / "a.jinja").write_text("{% include 'b' %}{{ x }}{{ y }}")
    (tmp_path / "b.jinja").write_text("B{{ x }}")
    for source in (tmp_path, {"a": "{% include 'b' %}{{ x }}{{ y }}", "b": "B{{ x }}"}):
        assert Library(source, limits=ISOLATED)["a"].partial(x=1).render(y=2).prompt == "B112"


def test_a_chat_template_is_the_same():
    source = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}{{ strftime_now('%Y') }}{{ extra }}"
    chat = ChatTemplate(source, bos_token="<s>")
    arguments = {"messages": [{"role": "user", "content": "Hi"}], "extra": [1]}
    assert ChatTemplate(source, bos_token="<s>", limits=ISOLATED).render(**arguments) == chat.render(**arguments)
    with pytest.raises(TemplateError, match="no roles") as caught:
        ChatTemplate("\n{{ raise_exception('no roles') }}", limits=ISOLATED).render([])
    assert caught.value.location.line == 2


@pytest.mark.parametrize(
    "source", ["{% if a %}{{ 'x' * 10**9 }}{% endif %}", "{% if a %}{{ 'x' * (5 * 10**7) }}{% endif %}"]
)
def test_memory_is_limited_without_caps(source):
    with pytest.raises(ResourceLimit):
        Template.from_string(source, limits=FREE).render(a=1)
    with pytest.raises(ResourceLimit):
        ChatTemplate(source, limits=FREE).render([], a=1)


def filtered(name, seconds=3.0):
    limits = Limits(isolate=True, seconds=seconds)
    return Template.from_string(
        f"{{% if 1 %}}{{{{ 1|{name} }}}}{{% endif %}}", filters={name: getattr(isolated, name)}, limits=limits
    )


def test_a_filter_of_a_module_runs_there():
    template = Template.from_string(
        "{% if 1 %}{{ 'a'|shout }}{% endif %}", filters={"shout": isolated.shout}, limits=ISOLATED
    )
    assert template.render().prompt == "A!"
    with pytest.raises(TemplateError, match="pickle"):
        Template.from_string("{% if 1 %}{{ 'a'|f }}{% endif %}", filters={"f": lambda x: x}, limits=ISOLATED).render()


def test_what_a_worker_may_not_do(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    isolation._POOL.clear()
    assert "OPENAI" not in filtered("environment").render().prompt
    for name in ("write", "crash", *(["start"] if os.getuid() else [])):  # root may start processes
        with pytest.raises(TemplateError):
            filtered(name).render()
    with pytest.raises(ResourceLimit, match=r"longer than 0\.1 s"):
        filtered("sleep", 0.1).render()
    assert int(filtered("process").render().prompt) != os.getpid()


def test_nothing_of_one_render_is_left_for_the_next():
    assert filtered("process").render().prompt != filtered("process").render().prompt


def test_a_worker_that_dies_is_replaced():
    template = Template.from_string("{% if 1 %}{{ a }}{% endif %}", limits=ISOLATED)
    assert template.render(a=1).prompt == "1"
    for worker in list(isolation._POOL._free):
        os.kill(worker.process_id, 9)
        worker._process.wait()
    assert template.render(a=1).prompt == "1"


def test_threads_have_workers_of_their_own():
    template = Template.from_string("{% if 1 %}{{ a }}{% endif %}", limits=ISOLATED)
    found = []
    threads = [threading.Thread(target=lambda n=n: found.append(template.render(a=n).prompt)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list("012345")


def test_an_answer_holds_values_and_nothing_that_runs(capfd):
    with pytest.raises(TemplateError, match="what it may not"):
        isolation.run_isolated(isolated.evil, limits=ISOLATED)
    assert "evil" not in capfd.readouterr().out


def test_elsewhere_it_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(isolation.sys, "platform", "darwin")
    with pytest.raises(TemplateError, match="Linux only, not on darwin"):
        Template.from_string("{% if 1 %}x{% endif %}", limits=ISOLATED).render()


def test_a_template_that_is_isolated_can_be_pickled():
    template = Template.from_string("{% if 1 %}{{ a }}{% endif %}", limits=ISOLATED)
    assert pickle.loads(pickle.dumps(template)).render(a=1).prompt == "1"
