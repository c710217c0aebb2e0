"""Whose client a call is asked of: evidence, look-alikes, and the server behind it."""

from pathlib import Path

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code
from diptych.migrate.code.files import migrate_files
from diptych.migrate.code.servers import is_own_host

ASK = '.completions.create(model="m", prompt=q, max_tokens=5).choices[0].text'

#: Receivers without evidence: the shape of the call is all there is.
UNKNOWN = [
    f"from mylib import get_client\ndef a(q):\n    return get_client(){ASK}",
    f"from mylib import client\ndef a(q):\n    return client{ASK}",
    f"import mylib\ndef a(q):\n    return mylib.client{ASK}",
    f"from mylib import Client\nclient = Client()\ndef a(q):\n    return client{ASK}",
    f"from mylib import *\ndef a(q):\n    return client{ASK}",
    f"def a(client, q):\n    return client{ASK}",
    f"from typing import Any\ndef a(client: Any, q):\n    return client{ASK}",
    f"class A:\n    def __init__(self, client):\n        self.client = client\n    def a(self, q):\n        return self.client{ASK}",
    f"import mylib\nclients = {{'x': mylib.make()}}\ndef a(q):\n    return clients['x']{ASK}",
    f"import mylib\nwith mylib.session() as s:\n    print(s{ASK.replace('=q', '=1')})".replace(
        "prompt=1", "prompt='x'"
    ),
    f"from mylib import make\nasync def a(q):\n    return (await make()){ASK}",
    f"import openai\nfrom mylib import get_client\ndef a(q):\n    return get_client(){ASK}",
    f"from acme import Acme\ndef a(c: Acme, q):\n    return c{ASK}",
    "from acme import Acme\ndef a(q):\n    return Acme()" + ASK.replace('"m"', '"text-davinci-003"'),
    f"from .llm import get_client\ndef a(q):\n    return get_client(){ASK}",
]

#: Receivers with evidence: a name, an annotation, a factory, a model, an import.
KNOWN = [
    f"from mylib import get_openai_client\ndef a(q):\n    return get_openai_client(){ASK}",
    f"from mylib.openai_tools import client\ndef a(q):\n    return client{ASK}",
    f"def a(openai_client, q):\n    return openai_client{ASK}",
    f"class A:\n    def a(self, q):\n        return self.openai{ASK}",
    f"class A:\n    def __init__(self, openai_client):\n        self.llm = openai_client\n    def a(self, q):\n        return self.llm{ASK}",
    f"import openai\ndef a(client, q):\n    return client{ASK}",
    f"from openai import OpenAI\ndef make():\n    return OpenAI()\ndef a(q):\n    return make(){ASK}",
    f"from langfuse.openai import OpenAI\nclient = OpenAI()\ndef a(q):\n    return client{ASK}",
    f"from mylib import MyOpenAI\ndef a(c: MyOpenAI, q):\n    return c{ASK}",
    "from mylib import get_client\ndef a(q):\n    return get_client()" + ASK.replace('"m"', '"text-davinci-003"'),
    "def a(client, q):\n    return client" + ASK.replace('"m"', '"davinci:ft-acme-2023-01-01"'),
    'MODEL = "gpt-3.5-turbo-instruct"\ndef a(client, q):\n    return client' + ASK.replace('"m"', "MODEL"),
    "import openai\nfrom .llm import get_client\ndef a(q):\n    return get_client()" + ASK,
    f"import openai, anthropic\ndef a(openai_client, q):\n    return openai_client{ASK}",
    f"r = client{ASK.replace('=q', '=1')}".replace("prompt=1", "prompt='x'"),  # a piece of a program
]

LOOK_ALIKES = [
    "def a(client, q):\n    return client" + ASK.replace('"m"', '"claude-2"'),
    "import openai\ndef a(client, q):\n    return client" + ASK.replace('"m"', '"command-nightly"'),
    f"from together import Together\nclient = Together()\ndef a(q):\n    return client{ASK}",
    "from mylib import Completion\ndef a(q):\n    return Completion.create(model='m', prompt=q)",
    f"import llama_cpp\ndef a(client, q):\n    return client{ASK}",
    f"class Own:\n    def __init__(self):\n        self.completions = self\n    def create(self, **kw): ...\ndef a(q):\n    return Own(){ASK}",
]


def test_a_fixture_of_the_tests_is_evidence(tmp_path):
    conftest = (
        "import openai\nimport pytest\n\n\n@pytest.fixture\ndef llm():\n    yield openai.OpenAI()\n\n\n"
        "@pytest.fixture\ndef other():\n    return 1\n"
    )
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "conftest.py").write_text(conftest)
    for name in ("llm", "other"):
        source = f"import helpers\n\n\ndef test_a({name}):\n    assert {name}{ASK.replace('=q', chr(61) + repr('x'))}\n"
        (tmp_path / "tests" / "unit" / f"test_{name}.py").write_text(source)
    found = {Path(file.file).name: [r.code for r in file.refusals] for file in migrate_files([tmp_path]).files}
    assert found == {"test_llm.py": [], "test_other.py": ["receiver-unknown"]}


@pytest.mark.parametrize("source", UNKNOWN)
def test_a_receiver_without_evidence_is_refused(source):
    found = migrate_code(source, "app.py")
    assert found.source == source
    assert [refusal.code for refusal in found.refusals] == ["receiver-unknown"]
    assert "openai_client" in found.refusals[0].hint


@pytest.mark.parametrize("source", KNOWN)
def test_a_receiver_with_evidence_is_taken(source):
    found = migrate_code(source, "app.py")
    assert found.refusals == ()
    assert ".chat.completions.create(" in found.source


@pytest.mark.parametrize("source", LOOK_ALIKES)
def test_look_alikes_stay(source):
    assert migrate_code(source, "app.py").source == source


# the server -----------------------------------------------------------------------------------------

V1 = 'print(client.completions.create(model="m", prompt="x", max_tokens=5).choices[0].text)'
V0 = 'print(openai.Completion.create(model="m", prompt="x", max_tokens=5).choices[0].text)'

#: Ways to another server than OpenAI's.
AWAY = [
    f'from openai import OpenAI\nclient = OpenAI(base_url="http://localhost:11434/v1", api_key="x")\n{V1}',
    f'from openai import OpenAI\nclient = OpenAI(base_url="https://api.together.xyz/v1")\n{V1}',
    f'import os\nfrom openai import OpenAI\nclient = OpenAI(base_url=os.environ["LLM_URL"])\n{V1}',
    f'from openai import OpenAI\nURL = "http://localhost:8000/v1"\nclient = OpenAI(base_url=URL)\n{V1}',
    f'from openai import OpenAI\noptions = {{"base_url": "http://x/v1"}}\nclient = OpenAI(**options)\n{V1}',
    f'from openai import AzureOpenAI\nclient = AzureOpenAI(api_version="2024-06-01")\n{V1}',
    'from openai import AsyncAzureOpenAI\nasync def a(client: "AsyncAzureOpenAI | None" = None):\n    return (await client.completions.create(model="m", prompt="x", max_tokens=5)).choices[0].text',
    f"from openai.lib.azure import AzureOpenAI\nclient = AzureOpenAI()\n{V1}",
    f'from openai import OpenAI\nclient = OpenAI().with_options(base_url="http://x/v1")\n{V1}',
    f'from openai import OpenAI\nclient = OpenAI()\nclient.base_url = "http://x/v1"\n{V1}',
    f'import os\nfrom openai import OpenAI\nos.environ["OPENAI_BASE_URL"] = "http://x/v1"\nclient = OpenAI()\n{V1}',
    f'import os\nfrom openai import OpenAI\nos.environ.setdefault("OPENAI_BASE_URL", "http://x/v1")\nclient = OpenAI()\n{V1}',
    f'import os\nfrom openai import OpenAI\nos.environ.update({{"OPENAI_BASE_URL": "http://x"}})\nclient = OpenAI()\n{V1}',
    f'from functools import partial\nfrom openai import OpenAI\nmake = partial(OpenAI, base_url="http://x/v1")\nclient = make()\n{V1}',
    f'from openai import OpenAI\nclass Local(OpenAI):\n    def __init__(self):\n        super().__init__(base_url="http://x/v1")\nclient = Local()\n{V1}',
    f'from openai import OpenAI\ndef make(url):\n    return OpenAI(base_url=url)\nclient = make("http://x")\n{V1}',
    'from openai import OpenAI\ndef a(client: OpenAI):\n    return client.completions.create(model="m", prompt="x", max_tokens=5).choices[0].text\na(OpenAI(base_url="http://x/v1"))',
    'from openai import OpenAI\ndef a(client):\n    return client.completions.create(model="m", prompt="x", max_tokens=5).choices[0].text\na(OpenAI(base_url="http://x/v1"))',
    f'from langfuse.openai import OpenAI\nclient = OpenAI(base_url="http://x/v1")\n{V1}',
    "from openai import OpenAI\nclient = OpenAI()\n" + V1.replace('"m"', '"meta-llama/Llama-3.1-8B"'),
    "from openai import OpenAI\nclient = OpenAI()\n" + V1.replace('"m"', '"llama3"'),
    'import openai\nopenai.base_url = "http://x/v1"\nprint(openai.completions.create(model="m", prompt="x", max_tokens=5).choices[0].text)',
    f'import openai\nopenai.api_base = "http://x/v1"\n{V0}',
    f'import openai\nopenai.api_key, openai.api_base = "x", "http://x/v1"\n{V0}',
    f'import os, openai\nopenai.api_base = os.getenv("OPENAI_API_BASE")\n{V0}',
    f'import os, openai\nopenai.api_type = os.getenv("OPENAI_API_TYPE")\n{V0}',
    f'import openai\nsetattr(openai, "api_base", "http://x/v1")\n{V0}',
    'import openai as ai\nai.api_base: str = "http://x/v1"\n' + V0.replace("openai.", "ai."),
    f'import openai\nopenai.api_version = "2023-05-15"\n{V0}',
    f'import os, openai\nos.environ["OPENAI_API_TYPE"] = "azure"\n{V0}',
    "import openai\n" + V0.replace('"m"', '"m", api_base="http://x/v1"'),
    "import openai\n" + V0.replace('"m"', '"m", api_type="azure"'),
    'import requests\nprint(requests.post("http://localhost:8000/v1/completions", json={"model": "m", "prompt": "x", "max_tokens": 5}).json()["choices"][0]["text"])',
    'import requests\nBASE = "http://x:1"\nprint(requests.post(f"{BASE}/v1/completions", json={"model": "m", "prompt": "x", "max_tokens": 5}).json()["choices"][0]["text"])',
    'import os, requests\nprint(requests.post(os.environ["BASE"] + "/v1/completions", json={"model": "m", "prompt": "x", "max_tokens": 5}).json()["choices"][0]["text"])',
    'import requests\nHOST = "gpu1"\nprint(requests.post(f"http://{HOST}:8000/v1/completions", json={"model": "m", "prompt": "x", "max_tokens": 5}).json()["choices"][0]["text"])',
]

#: OpenAI's own server, named or not.
OWN = [
    f"from openai import OpenAI\nclient = OpenAI()\n{V1}",
    f'from openai import OpenAI\nclient = OpenAI(base_url="https://api.openai.com/v1")\n{V1}',
    f'from openai import OpenAI\nclient = OpenAI(base_url="https://eu.api.openai.com/v1")\n{V1}',
    f'from openai import OpenAI\nURL = "https://api.openai.com/v1"\nclient = OpenAI(base_url=URL)\n{V1}',
    f"from openai import OpenAI\nclient = OpenAI(base_url=None)\n{V1}",
    f'from openai import OpenAI\nlocal = OpenAI(base_url="http://x/v1")\nclient = OpenAI()\n{V1}',
    f'import openai\nopenai.api_base = "https://api.openai.com/v1"\n{V0}',
    f'import openai\nopenai.api_type = "open_ai"\n{V0}',
    f'import openai\nclass Server:\n    def __init__(self, url):\n        self.base_url = url\n{V0}',
    'import os, requests\nBASE = os.getenv("BASE", "https://api.openai.com")\nprint(requests.post(f"{BASE}/v1/completions", json={"model": "m", "prompt": "x", "max_tokens": 5}).json()["choices"][0]["text"])',
]  # fmt: skip


@pytest.mark.parametrize("source", AWAY)
@pytest.mark.parametrize("cap", [True, False])
def test_max_tokens_keeps_its_name_on_other_servers(source, cap):
    if not cap:
        source = source.replace(", max_tokens=5", "").replace(', "max_tokens": 5', "")
    found = migrate_code(source, "app.py")
    assert found.refusals == ()
    assert "messages" in found.source
    assert "max_completion_tokens" not in found.source
    assert "max_tokens" in found.source


@pytest.mark.parametrize("source", OWN)
def test_it_is_max_completion_tokens_on_openais_own(source):
    found = migrate_code(source, "app.py")
    assert found.refusals == ()
    assert "max_completion_tokens" in found.source


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("https://api.openai.com/v1", True), ("https://us.api.openai.com", True), ("api.openai.com", True),
        ("https://api.openai.com.example/v1", False), ("https://x.openai.azure.com", False),
        ("http://localhost/?to=api.openai.com", False), ("", False),
    ],
)  # fmt: skip
def test_hosts(host, own):
    assert is_own_host(host) is own
