"""The structure holds: layers, no circles, light imports, public names, nothing that must not stand."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "diptych"

#: From the bottom up. A module imports from its own package and from lower layers, nothing else.
LAYERS = (
    ("errors", "loss", "model", "policy", "suggest", "jsonpath"),
    ("views",),
    ("format", "projection", "registered", "request", "response"),
    ("config",),
    ("walk",),
    ("catalogue",),
    ("encodings",),
    ("sandbox",),
    ("text",),
    ("apis",),
    ("datasets",),
    ("conversion",),
    ("tokens",),
    ("prices",),
    ("templating",),
    ("client",),
    ("serve",),
    ("migrate",),
    ("testing", "local", "report"),
    ("play",),
    ("cli",),
    ("__main__",),
)
#: The values are a few files and one subject; which of them imports which is left to the circles below.
VALUES = LAYERS[0] + LAYERS[2]
#: What does not hold yet. A line may go, none may come.
UPWARD: set[tuple[str, str]] = set()
#: Modules that import each other in a loop, lazy and type-only imports included. Likewise.
CIRCLES: set[tuple[str, ...]] = set()


def name_of(path):
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(SOURCE.rglob("*.py"))}


def imports_of(name):
    """Return the modules of diptych that a module imports: anywhere in it, for types alone, or by name."""
    path = MODULES[name]
    tree = ast.parse(path.read_text("utf-8"))
    by_name = any(isinstance(node, ast.Name) and node.id == "import_module" for node in ast.walk(tree))
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "diptych"):
            module = (node.module or "").split(".")
            base = [*package[: len(package) - node.level + 1], *module] if node.level else module[1:]
            found |= {_module(".".join([*filter(None, base), alias.name])) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {_module(a.name.removeprefix("diptych.")) for a in node.names if a.name.startswith("diptych.")}
        elif by_name and isinstance(node, ast.Constant) and str(node.value).startswith("diptych."):
            found |= {str(node.value).removeprefix("diptych.")} & set(MODULES)
    return found - {name, ""}


def _module(dotted):
    """Return the module that ``dotted`` is, or holds the name that it is."""
    return dotted if dotted in MODULES else dotted.rpartition(".")[0]


GRAPH = {name: imports_of(name) for name in MODULES if name}


def layer_of(name):
    top = name.partition(".")[0]
    return next(number for number, names in enumerate(LAYERS) if top in names)


def points_down(name, target):
    inside = name.partition(".")[0] == target.partition(".")[0] or {name, target} <= set(VALUES)
    return inside or layer_of(target) < layer_of(name)


def test_every_module_has_a_layer():
    assert {name.partition(".")[0] for name in GRAPH} == {name for names in LAYERS for name in names}


def test_imports_point_down():
    upward = {(name, target) for name, targets in GRAPH.items() for target in targets if not points_down(name, target)}
    assert upward == UPWARD, "an import points upward, or one that did is gone: then take it off the list"


def circles(graph):
    """Return the strongly connected components of more than one module (Tarjan's algorithm)."""
    index, low, stack, found = {}, {}, [], set()

    def visit(name):
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(graph[name]):
            if target not in index:
                visit(target)
            if target in stack:
                low[name] = min(low[name], low[target])
        if low[name] == index[name]:
            at = stack.index(name)
            if len(stack) - at > 1:
                found.add(tuple(sorted(stack[at:])))
            del stack[at:]

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def test_no_modules_import_each_other_in_a_circle():
    assert circles(GRAPH) == CIRCLES, "there is a new circle, or one is cut: then take it off the list"


def test_the_layers_of_the_docs_are_these():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page.split("## Layers")[1].split("\n## ")[0]
    rows = [tuple(re.findall(r"`(\w+)`", row)) for row in re.findall(r"^\| \d+ \|([^|]*)\|", table, re.MULTILINE)]
    assert rows == list(LAYERS)


def test_one_conversion_is_read_in_600_lines():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    way = page.split("To follow one conversion end to end")[1].split("\n\n")[0]
    files = re.findall(r"`([\w/]+\.py)`", way)
    assert len(files) >= 3
    assert sum(len((SOURCE / file).read_text("utf-8").splitlines()) for file in files) <= 600


def test_importing_diptych_loads_nothing_else():
    # Not even typing, which takes longer than everything else that starting needs.
    code = "import sys; before = set(sys.modules); import diptych; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) <= {"__future__", "diptych"}


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
