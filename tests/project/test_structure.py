"""The structure holds: layers, light imports, public names, nothing that must not stand."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import diptych

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "diptych"

LAYERS = [
    {"errors", "loss", "model"},
    {"sandbox"},
    {"templating", "formats", "wire", "tokens", "prices"},
    {"rendered", "template", "api", "client", "migrate", "report", "compat", "counting", "fitting"},
    {"testing", "local"},
    {"cli", "__main__"},
]
#: Siblings that may import each other, as the table in docs/architecture.md says.
SIBLINGS = {
    "loss": {"errors"},
    "model": {"errors", "loss"},
    "templating": {"formats"},
    "formats": {"wire"},
    "wire": {"formats", "tokens"},
    "tokens": {"formats"},
    "prices": {"tokens"},
    "rendered": {"report", "template"},
    "template": {"rendered", "counting"},
    "api": {"template", "rendered"},
    "counting": {"template", "rendered"},
    "client": {"rendered", "api"},
    "compat": {"client"},
    "migrate": {"api", "template"},
    "testing": {"local"},
    "__main__": {"cli"},
}
#: For type checkers only: an error carries losses, and losses are below nothing.
TYPE_ONLY = {("errors", "loss")}


def layer_of(module):
    return next(number for number, names in enumerate(LAYERS) if module in names)


def imports_of(path):
    """Yield the top modules of diptych that a file imports, wherever it does."""
    inside = path.relative_to(SOURCE).parts
    package = list(inside[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                parts = [*base, *(node.module or "").split(".")] if node.module else base
                names = [parts[0]] if parts and parts[0] else [alias.name for alias in node.names]
                yield from names
            elif (node.module or "").split(".")[0] == "diptych":
                yield (node.module or "").split(".")[1] if "." in (node.module or "") else node.names[0].name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("diptych."):
                    yield alias.name.split(".")[1]


FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(SOURCE)) for p in FILES])
def test_arrows_point_down(path):
    module = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    for target in set(imports_of(path)) - {module, "__version__"}:
        if (module, target) in TYPE_ONLY:
            continue
        lower = layer_of(target) < layer_of(module)
        assert lower or target in SIBLINGS.get(module, ()), f"{module} must not import {target}"


def test_the_table_of_siblings_in_the_docs_is_true():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page.split("Siblings that may import each other:")[1].split("##")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", table, re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", cells)) for name, cells in rows}
    assert told == {name: set(targets) for name, targets in SIBLINGS.items() if name != "__main__"}


def test_importing_diptych_loads_nothing_heavy():
    code = "import sys, diptych; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"jinja2", "tiktoken", "pydantic", "httpx", "httpx2", "typer", "rich", "yaml", "click", "asyncio"}
    assert not heavy & set(loaded)


def test_public_names_are_sorted_and_resolve():
    assert diptych.__all__ == sorted(diptych.__all__)
    for name in diptych.__all__:
        assert getattr(diptych, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = diptych.nothing


def tracked_files():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_nothing_in_the_tree_names_a_machine_or_a_registry():
    hosts = "|".join(re.escape(".".join(p)) for p in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs")))
    paths = "/(?:" + "|".join(("work", "root", "home")) + ")/[a-z]"
    pattern = re.compile(f"{hosts}|(?<![A-Za-z0-9_.]){paths}")
    for path in tracked_files():
        if path.suffix in (".bin", ".jsonl", ".http") or not path.is_file():
            continue
        found = pattern.search(path.read_text("utf-8", "replace"))
        assert not found, f"{path.relative_to(ROOT)}: {found.group()}"


def test_constraints_name_versions_only():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert len(lines) > 20
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[^/:@]+( ;.*)?", line) for line in lines)
