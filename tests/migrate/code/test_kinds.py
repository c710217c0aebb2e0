"""One case for each kind of fault that real code has shown, as small as it can be; see the kind's name."""

import textwrap

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code

V1 = "from openai import OpenAI\nclient = OpenAI()\n"
ASK = "client.completions.create(model='gpt-3.5-turbo-instruct', prompt=q, max_tokens=5{})"

#: Name, source, what the new source holds (or "" where it stays), the codes of its refusals, a word of a note.
KINDS = [
    ("the replacement is not itself dated", f"{V1}def a(q):\n    return {ASK.format('')}.choices[0].text\n", "gpt-5.4-mini", [], ""),
    ("another server keeps max_tokens", "from openai import OpenAI\nclient = OpenAI(base_url='http://localhost:1/v1')\nq = 'x'\nr = " + ASK.format("").replace("gpt-3.5-turbo-instruct", "llama3") + "\nprint(r.choices[0].text)\n", "max_tokens=5", [], ""),
    ("Azure without Chat", "import openai\nopenai.api_type, openai.api_version = 'azure', '2022-12-01'\nr = openai.Completion.create(engine='d', prompt='x', max_tokens=5)\n", "", ["api-version"], ""),
    ("marks in constants", f"{V1}A, B = '[INST]', '[/INST]'\ndef a(q):\n    return client.completions.create(model='m', prompt=f'{{A}} {{q}} {{B}}', max_tokens=5).choices[0].text\n", '"content": f"{q}"', [], "llama2"),
    ("marks out of sight", f"{V1}def a(q):\n    return client.completions.create(model='m', prompt=build('<|im_start|>', q), max_tokens=5).choices[0].text\n", "", ["prompt-markup"], ""),
    ("unknown receiver", "from mylib import get_client\ndef a(q):\n    return get_client().completions.create(model='m', prompt=q, max_tokens=5).choices[0].text\n", "", ["receiver-unknown"], ""),
    ("look-alike", "from mylib import Completion\nCompletion.create(model='m', prompt='q')\n", "", [], ""),
    ("an import that is repeated", "from langchain.llms import OpenAI\na = OpenAI()\nfrom langchain.llms import OpenAI\nb = OpenAI()\n", "ChatOpenAI", [], ""),
    ("an import that is tried", "try:\n    from openai import Completion\nexcept ImportError:\n    Completion = None\nr = Completion.create(model='davinci', prompt='x', max_tokens=5)\nprint(r.choices[0].text)\n", "ChatCompletion", [], ""),
    ("a composed address", "import requests\nname = 'completions'\nr = requests.post(f'https://api.openai.com/v1/{name}', json={'model': 'davinci', 'prompt': 'x', 'max_tokens': 5})\nprint(r.json()['choices'][0]['text'])\n", "'chat/completions'", [], ""),
    ("an engine's address", "import requests\nr = requests.post('https://api.openai.com/v1/engines/davinci/completions', json={'prompt': 'x', 'max_tokens': 5})\nprint(r.json()['choices'][0]['text'])\n", '"gpt-5.4-mini"', [], ""),
    ("another function's text completion", "import litellm\nr = litellm.text_completion(model='m', prompt='x')\n", "", ["not-understood"], ""),
    ("a wrapper's own keywords", "def test_a(openai):\n    c = openai.OpenAI().completions.create(name='t', model='m', prompt='x')\n", "", ["unknown-argument"], ""),
    ("a model in two branches", f"{V1}m = 'text-ada-001'\nif client:\n    m = 'text-davinci-002'\nr = client.completions.create(model=m, prompt='x', max_tokens=5)\nprint(r.choices[0].text)\n", "m = 'gpt-5.4-mini'", [], ""),
    ("a model of an option", f"import argparse\n{V1}p = argparse.ArgumentParser()\np.add_argument('--model', default='davinci-002')\nr = client.completions.create(model=p.parse_args().model, prompt='x', max_tokens=5)\n", "default='gpt-5.4-mini'", [], ""),
    ("a model that is asserted", f"{V1}q = 1\nr = {ASK.format('')}\nassert r.model == 'text-davinci-003'\n", "messages", [], "the reply names the model"),
    ("the prompt is continued", f"{V1}def a(q):\n    return q + {ASK.format('')}.choices[0].text\n", "", ["reply-begun"], ""),
    ("a blank is expected", f"{V1}def a(q):\n    return {ASK.format('')}.choices[0].text == ' yes'\n", "== 'yes'", [], "does not begin with a blank"),
    ("the first chunk alone", f"{V1}def a(q):\n    return next({ASK.format(', stream=True')}).choices[0].text\n", "", ["result-escapes"], ""),
    ("kwargs of a wrapper", f"{V1}def ask(**k):\n    return client.completions.create(**k)\nprint(ask(model='davinci-002', prompt='x', max_tokens=5).choices[0].text)\n", "ask(model='gpt-5.4-mini', messages=", [], ""),
    ("a list of prompts", f"{V1}r = client.completions.create(model='davinci-002', prompt=[f'Say {{x}}' for x in 'ab'], max_tokens=5)\nprint([c.text for c in r.choices])\n", "for x in 'ab']", [], "one call for each"),
    ("a flag of a stream", f"{V1}def a(q, stream=False):\n    r = {ASK.format(', stream=stream')}\n    if not stream:\n        return r.choices[0].text\n    return [c.choices[0].text for c in r if c.choices]\n", "delta.content", [], ""),
    ("an answer that is dumped", f"import json\n{V1}q = 1\nr = {ASK.format('')}\njson.dump(r, open('x', 'w'))\n", "messages", [], "written out"),
    ("LangChain's generate", "from langchain.llms import OpenAI\nllm = OpenAI()\nprint(llm.generate(['a']).generations[0][0].text)\n", "llm.batch(['a'])[0].content", [], ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "part", "codes", "note"), KINDS, ids=[kind[0] for kind in KINDS])
def test_a_kind_of_fault(name, source, part, codes, note):
    found = migrate_code(textwrap.dedent(source), "a.py")
    assert [refusal.code for refusal in found.refusals] == codes
    assert (found.source == source) is (part == "")
    assert part in found.source
    compile(found.source, "a.py", "exec")
    assert migrate_code(found.source, "a.py").changes == ()
    assert any(note in change.what for change in found.changes) or not note
