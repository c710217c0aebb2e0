"""Programs that nobody here wrote the libraries of, unmodified, through the bridge.

The folder ``programs`` is the registry: the first line of each says which interpreter and library it needs.
``make clients`` installs what is not there; a program whose library is missing is skipped, and counted.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diptych.testing import Server

from ..serve.conftest import running

PROGRAMS = sorted((Path(__file__).parent / "programs").iterdir())
#: Where ``make clients`` puts the libraries.
FOLDER = Path(os.environ.get("DIPTYCH_CLIENTS", Path(__file__).resolve().parents[2] / ".clients"))
#: What each kind of upstream is to the programs: the API that it speaks.
UPSTREAMS = ("chat", "anthropic", "local")


def command_for(program):
    """Return how a program is run, or skip the test where its tool or its library is not there."""
    needs = program.read_text("utf-8").splitlines()[0].partition("client: ")[2].split(", ")
    kind, library = needs[0], needs[-1]
    if kind == "here" and importlib.util.find_spec(library):
        return [sys.executable, str(program)]
    if kind == "sh" and shutil.which(library):
        return ["sh", str(program)]
    if kind == "node" and shutil.which("node") and (FOLDER / "node_modules" / library).is_dir():
        return ["node", str(program)]
    python = FOLDER / kind / "bin" / "python"
    if python.is_file():
        return [str(python), str(program)]
    pytest.skip(f"{program.name} needs {library}: make clients installs it")


@pytest.fixture(scope="module", params=UPSTREAMS)
def bridge(request):
    if request.param == "local":
        pytest.importorskip("xllamacpp", reason="the embedded model is not installed")
        from diptych.errors import MissingExtra
        from diptych.local import LocalServer, find_model

        try:
            find_model()
        except MissingExtra as error:
            pytest.skip(error.message)
        with LocalServer() as server, running(server.base_url, models={"*": server.model}) as found:
            found.model = server.model
            yield found
        return
    with Server() as server, running(server.base_url, upstream_api=request.param) as found:
        found.model = "gpt-4o"
        yield found


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_a_program_works_unmodified(program, bridge):
    environment = {
        **os.environ,
        "BASE_URL": f"{bridge.url}/v1",
        "MODEL": bridge.model,
        "NODE_FOLDER": str(FOLDER),
        "no_proxy": "*",
    }
    done = subprocess.run(command_for(program), capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().endswith("ok")
