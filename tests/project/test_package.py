"""The wheel in an empty environment: it works, with its templates, without a network."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Runs in the empty environment: sockets to anywhere are refused.
SCRIPT = """
import socket
def refuse(*args, **kwargs): raise AssertionError("the network was used")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import diptych
from diptych.cli.inputs import gallery
assert gallery().name == "templates", gallery()
r = diptych.Library(gallery())["translate"].render(text="Hello")
assert r.prompt == 'Translate the following English text to French: "Hello"'
for name in ("gpt-4o-mini", "gpt-4", "text-davinci-003", "davinci"):
    assert diptych.count(r.prompt, model=name).tokens
assert diptych.estimate(r.messages, model="gpt-4o-mini").cost.expected > 0
print("fine")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("diptych-*.whl"))


def test_wheel_holds_what_it_needs_and_no_more(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "diptych/templates/translate.jinja" in names
    assert "diptych/templates/partials/review-rules.jinja" in names
    assert "diptych/py.typed" in names
    assert any(name.startswith("diptych/encodings/ranks/") for name in names)
    assert not any(name.startswith(("tests/", "docs/")) or name.endswith(".pyc") for name in names)
    assert wheel.stat().st_size < 6_000_000


def test_wheel_works_in_an_empty_environment(wheel, tmp_path):
    """The dependencies come from here by path; the package itself from the wheel alone."""
    where = tmp_path / "with space"
    target = where / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    links = where / "dependencies"
    links.mkdir()
    # An environment may stand on another one; what it has itself comes first.
    for item in (item for p in sys.path if p.endswith("site-packages") for item in Path(p).iterdir()):
        # An editable install of Diptych would hide the wheel.
        if "diptych" not in item.name and item.suffix != ".pth" and not (links / item.name).exists():
            (links / item.name).symlink_to(item)
    environment = {"PYTHONPATH": os.pathsep.join([str(target), str(links)]), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-S", "-c", SCRIPT], env=environment, capture_output=True, text=True, cwd=where
    )
    assert done.stdout == "fine\n", done.stderr
    shutil.rmtree(where)


#: Runs what the page says after its own two files: by entry points, so without a call of register().
FOLLOWED = """
import diptych, pathlib, sys
assert pathlib.Path(diptych.__file__).is_relative_to(sys.argv[1]), diptych.__file__
assert diptych.to_prompt([{"role": "user", "content": "Hi"}], format="bracket").text.startswith("[[user]]")
assert diptych.convert({"turns": [{"who": "user", "says": "Hi"}]}).output == {"messages": [{"role": "user", "content": "Hi"}]}
page = pathlib.Path(sys.argv[2]).read_text("utf-8")
for block in page.split("```python\\n")[1:]:
    code = block.partition("```")[0].replace("diptych.register(GRAMMAR)", "").replace("diptych.register(FORMAT)", "")
    exec(code, {"__name__": "page"} | dict(diptych=diptych))
sys.argv[1:] = ["formats", "--kind", "api", "--json"]
from diptych.__main__ import main
main()
"""


def test_the_page_on_adding_a_format_followed_from_the_wheel(wheel, tmp_path):
    """The files of the page, word for word, as a distribution beside an installed wheel."""
    target, own = tmp_path / "site", tmp_path / "own"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    page = ROOT / "docs" / "how-to" / "add-a-format.md"
    text = page.read_text("utf-8")
    info = own / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    points = text.partition("[project.entry-points.\"diptych.formats\"]\n")[2].partition("```")[0]
    (info / "entry_points.txt").write_text("[diptych.formats]\n" + points.replace('"', ""))
    for name, block in re.findall(r"into a file `(\w+\.py)`:\n\n```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        (own / name).write_text(block, "utf-8")
    environment = {"PYTHONPATH": os.pathsep.join([str(target), str(own)]), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", FOLLOWED, str(target), str(page)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "parley" in {row["name"] for row in json.loads(done.stdout)["formats"]}
