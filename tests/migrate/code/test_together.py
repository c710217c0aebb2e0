"""A mock and the calls that it stands for change together or not at all, across files."""

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate.code.files import migrate_files

#: Calls that change, and calls that are refused, of the three ways of asking.
V0 = 'import openai\n\n\ndef ask(q):\n    return openai.Completion.create(model="text-davinci-003", prompt=q, max_tokens=5)["choices"][0]["text"]\n'
V1 = 'from openai import OpenAI\n\nclient = OpenAI()\n\n\ndef ask(q, client=client):\n    return client.completions.create(model="m", prompt=q, max_tokens=5).choices[0].text\n'
HTTP = 'import requests\n\nURL = "https://api.openai.com/v1/completions"\n\n\ndef ask(q):\n    r = requests.post(URL, json={"model": "m", "prompt": q, "max_tokens": 5})\n    return r.json()["choices"][0]["text"]\n'
BAD = {V0: V0.replace("max_tokens=5", "suffix=q"), V1: V1.replace("max_tokens=5", "suffix=q"),
       HTTP: HTTP.replace('"max_tokens": 5', '"suffix": q')}  # fmt: skip

#: Mocks of them that are understood.
GOOD = {
    "patch in a decorator": (V0, 'from unittest.mock import patch\nimport app\n\n@patch("app.openai.Completion.create")\ndef test(create):\n    create.return_value = {"choices": [{"text": "hi"}]}\n    assert app.ask("x") == "hi"\n'),
    "patch of the SDK itself": (V0, 'from unittest.mock import patch\nfrom app import ask\n\n@patch("openai.Completion.create", return_value={"choices": [{"text": "hi"}]})\ndef test(create):\n    assert ask("x") == "hi"\n'),
    "with patch": (V0, 'from unittest.mock import patch\nimport app\n\ndef test():\n    with patch("openai.Completion.create") as create:\n        create.return_value = {"choices": [{"text": "hi"}]}\n        app.ask("x")\n'),
    "monkeypatch of a path": (V0, 'import app\n\ndef test(monkeypatch):\n    monkeypatch.setattr("openai.Completion.create", lambda **k: {"choices": [{"text": "hi"}]})\n    app.ask("x")\n'),
    "patch.object": (V1, 'from types import SimpleNamespace as N\nfrom types import SimpleNamespace\nfrom unittest.mock import patch\nimport app\n\ndef test():\n    with patch.object(app.client.completions, "create", return_value=SimpleNamespace(choices=[SimpleNamespace(text="hi")])):\n        app.ask("x")\n'),
    "monkeypatch of an object": (V1, 'from types import SimpleNamespace\nimport app\n\ndef test(monkeypatch):\n    monkeypatch.setattr(app.client.completions, "create", lambda **k: SimpleNamespace(choices=[SimpleNamespace(text="hi")]))\n    app.ask("x")\n'),
    "a client that is a mock": (V1, 'from unittest.mock import MagicMock\nimport app\n\ndef test():\n    client = MagicMock()\n    client.completions.create.return_value.choices[0].text = "hi"\n    assert app.ask("x", client) == "hi"\n'),
    "several answers": (V0, 'from unittest.mock import patch\nimport app\n\n@patch("app.openai.Completion.create", side_effect=[{"choices": [{"text": "a"}]}, {"choices": [{"text": "b"}]}])\ndef test(create):\n    app.ask("x")\n'),
    "http": (HTTP, 'import app\n\ndef test(requests_mock):\n    requests_mock.post("https://api.openai.com/v1/completions", json={"choices": [{"text": "hi"}]})\n    assert app.ask("x") == "hi"\n'),
}  # fmt: skip

#: Mocks that are not: what they answer, or what they are looked at for, cannot be changed.
WRONG = {
    "made elsewhere": (V0, 'from unittest.mock import patch\nfrom answers import answer\nimport app\n\n@patch("app.openai.Completion.create")\ndef test(create):\n    create.return_value = answer()\n    app.ask("x")\n'),
    "the prompt is looked at": (V0, 'from unittest.mock import patch\nimport app\n\n@patch("app.openai.Completion.create")\ndef test(create):\n    create.return_value = {"choices": [{"text": "hi"}]}\n    app.ask("x")\n    assert create.call_args.kwargs["prompt"] == "x"\n'),
    "logprobs": (V0, 'from unittest.mock import patch\nimport app\n\n@patch("app.openai.Completion.create")\ndef test(create):\n    create.return_value = {"choices": [{"text": "hi", "logprobs": {"tokens": ["hi"], "token_logprobs": [-0.1]}}]}\n    app.ask("x")\n'),
    "logprobs of objects": (V1, 'from types import SimpleNamespace\nfrom unittest.mock import patch\nimport app\n\n@patch("openai.resources.completions.Completions.create")\ndef test(create):\n    create.return_value = SimpleNamespace(choices=[SimpleNamespace(text="hi", logprobs=SimpleNamespace(tokens=["hi"]))])\n    app.ask("x")\n'),
    "a fake class": (V1, 'from types import SimpleNamespace\nimport app\n\nclass Fake:\n    def __init__(self):\n        self.completions = self\n\n    def create(self, **options):\n        return SimpleNamespace(choices=[SimpleNamespace(text="hi")])\n\ndef test():\n    assert app.ask("x", Fake()) == "hi"\n'),
    "a fake class of its own shapes": (V1, 'import app\n\nclass Choice:\n    text = "hi"\n\nclass Completions:\n    def create(self, **options):\n        self.choices = [Choice]\n        return self\n\nclass Fake:\n    completions = Completions()\n\ndef test():\n    assert app.ask("x", Fake()) == "hi"\n'),
    "a fake of name spaces": (V1, 'from types import SimpleNamespace\nimport app\n\ndef answer(**options):\n    return SimpleNamespace(choices=[Choice("hi")])\n\ndef test():\n    app.ask("x", SimpleNamespace(completions=SimpleNamespace(create=answer)))\n'),
    "options of a mock": (V1, 'from unittest.mock import MagicMock\nimport app\n\ndef test():\n    client = MagicMock(**{"completions.create.return_value.choices": [MagicMock(text="hi")]})\n    app.ask("x", client)\n'),
    "another vendor beside": (V1, 'import anthropic\nfrom unittest.mock import MagicMock\nimport app\n\ndef test():\n    client = MagicMock()\n    client.completions.create.return_value.choices[0].text = "hi"\n    app.ask("x", client)\n'),
    "http": (HTTP, 'import app\n\ndef test(requests_mock):\n    requests_mock.post("https://api.openai.com/v1/completions", text=open("x.json").read())\n    app.ask("x")\n'),
}  # fmt: skip


def project(folder, app, test, where="test_app.py"):
    (folder / "pyproject.toml").write_text("")
    (folder / "app.py").write_text(app)
    (folder / where).parent.mkdir(exist_ok=True)
    (folder / where).write_text(test)
    return folder


def outcome(folder, *names):
    """Return the files that changed, and the codes of refusal by file."""
    report = migrate_files([folder / name for name in names] or [folder], write=True)
    short = {file.file: file.file.rsplit("/", 1)[-1] for file in report.files}
    changed = {short[file.file] for file in report.files if file.before != file.after}
    return changed, {short[f.file]: sorted({r.code for r in f.refusals}) for f in report.files if f.refusals}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("where", ["test_app.py", "tests/test_app.py"])
def test_both_change(tmp_path, name, where):
    assert outcome(project(tmp_path, *GOOD[name], where)) == ({"app.py", "test_app.py"}, {})


@pytest.mark.parametrize("name", GOOD)
def test_a_refused_call_keeps_its_mocks(tmp_path, name):
    app, test = GOOD[name]
    changed, codes = outcome(project(tmp_path, BAD[app], test))
    assert changed == set()
    assert codes == {"app.py": ["suffix"], "test_app.py": ["mock-apart"]}


@pytest.mark.parametrize("name", WRONG)
def test_a_mock_that_is_not_understood_keeps_its_calls(tmp_path, name):
    changed, codes = outcome(project(tmp_path, *WRONG[name]))
    assert changed == set()
    assert codes["app.py"] == ["mock-apart"]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("alone", ["app.py", "test_app.py"])
def test_one_without_the_other_stays(tmp_path, name, alone):
    changed, codes = outcome(project(tmp_path, *GOOD[name]), alone)
    assert (changed, codes) == (set(), {alone: ["mock-apart"]})


def test_the_reason_names_the_other_place(tmp_path):
    app, test = GOOD["patch in a decorator"]
    project(tmp_path, BAD[app], test)
    (refusal,) = migrate_files([tmp_path]).files[1].refusals
    assert "app.py:5:12 cannot be changed" in refusal.reason


def test_a_mock_without_any_call_stays(tmp_path):
    app, test = GOOD["patch of the SDK itself"]
    del app
    assert outcome(project(tmp_path, "def ask(q): ...\n", test)) == (set(), {"test_app.py": ["mock-apart"]})


def test_a_file_that_does_not_parse_keeps_the_mocks_of_its_calls(tmp_path):
    app, test = GOOD["patch in a decorator"]
    assert outcome(project(tmp_path, app + "def (\n", test)) == (
        set(), {"app.py": ["syntax"], "test_app.py": ["mock-apart"]}
    )  # fmt: skip


def test_refusals_spread_to_all_that_a_mock_stands_for_and_no_further(tmp_path):
    app, test = GOOD["patch in a decorator"]
    project(tmp_path, app.replace("def ask", "def other") + BAD[app].replace("import openai\n", ""), test)
    (tmp_path / "apart.py").write_text(V0)  # a module that no test mocks
    changed, codes = outcome(tmp_path)
    assert changed == {"apart.py"}
    assert codes == {"app.py": ["mock-apart", "suffix"], "test_app.py": ["mock-apart"]}


def test_calls_behind_another_module_are_found(tmp_path):
    app, test = GOOD["patch of the SDK itself"]
    project(tmp_path, "from llm import ask\n", test)
    (tmp_path / "llm.py").write_text(BAD[app])
    assert outcome(tmp_path) == (set(), {"llm.py": ["suffix"], "test_app.py": ["mock-apart"]})


def test_a_mock_of_a_conftest_stands_for_any_call(tmp_path):
    _, test = GOOD["monkeypatch of a path"]
    fixture = test.replace("import app\n", "import pytest\n\n@pytest.fixture").replace('    app.ask("x")\n', "")
    project(tmp_path, BAD[V0], fixture, "conftest.py")
    assert outcome(tmp_path) == (set(), {"app.py": ["suffix"], "conftest.py": ["mock-apart"]})


def test_a_fake_that_answers_both_keeps_nothing_back(tmp_path):
    _, test = WRONG["a fake class of its own shapes"]
    both = test.replace("    completions = Completions()", "    completions = Completions()\n    chat = None")
    assert outcome(project(tmp_path, V1, both)) == ({"app.py"}, {})


def test_mocks_around_the_run_that_lead_nowhere_keep_nothing_back(tmp_path):
    """A repository has mocks of other parts; only those that name the run's modules stand for its calls."""
    _, test = GOOD["patch of the SDK itself"]
    project(tmp_path, V0, test.replace("from app import ask", "from other import ask"))
    (tmp_path / "other.py").write_text("def ask(q): ...\n")
    assert outcome(tmp_path, "app.py") == ({"app.py"}, {})


def test_processes_decide_alike(tmp_path):
    app, test = GOOD["patch in a decorator"]
    project(tmp_path, BAD[app], test)
    one, two = (migrate_files([tmp_path], workers=workers) for workers in (1, 2))
    assert [file.refusals for file in one.files] == [file.refusals for file in two.files]
