"""Make the generated pages of the documentation, and the site.

``build_docs.py`` writes ``docs/reference/{losses,errors,configuration,formats,command-line,checks,…}.md`` and
the site into ``build/docs``; ``--check`` only says whether the pages are fresh.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import typer.main

from diptych import Library, config, errors, loss
from diptych.cli.app import make_app
from diptych.cli.documents import DOCUMENTS, schema_of
from diptych.conversion.registry import formats_in, list_formats, modules
from diptych.sandbox.filters import REMOVED_FILTERS, tojson
from diptych.templating.check import all_rules
from diptych.templating.filters import FILTERS
from diptych.text.registry import grammars, grammars_in

sys.path.insert(0, str(Path(__file__).parent))
from python_reference import python_page
from template_layouts import layouts_page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DOCS = ROOT / "docs"
NOTE = "<!-- made by scripts/build_docs.py -->\n\n"


def losses() -> str:
    rows = [f"| `{kind}` | {severity.name.lower()} | {meaning} |" for kind, (severity, meaning) in loss.KINDS.items()]
    head = "# Losses\n\nEvery kind of loss that a conversion can report, with its severity.\n\n"
    return f"{head}| kind | severity | means |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def configuration_page() -> str:
    rows = []
    for entry in config.SETTINGS:
        key = "–" if entry.is_secret else f"`{entry.name}`"
        variables = ", ".join(f"`{name}`" for name in (entry.variable, entry.fallback) if name)
        rows.append(f"| {key} | {variables or '–'} | {'text' if entry.kind == 'text' else 'list'} | {entry.doc} |")
    return CONFIGURATION + "| key | variable | type | sets |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


CONFIGURATION = """# Configuration

Set once what you would otherwise repeat on every command: in `diptych.toml`, or in the table
`[tool.diptych]` of `pyproject.toml`.

```toml
[tool.diptych]
model = "gpt-5.4-mini"
templates = ["prompts"]
exclude = ["/generated/"]
```

Flags override `DIPTYCH_*` variables, which override the file; the file overrides `OPENAI_*`
variables. The nearest file is used, in the current folder or above it. An empty variable means
"no value". In a variable, list entries are separated as in `PATH`. Template folders are relative to
the file. An unknown key is an error.

`model` is used where nothing nearer names one: first `--model`, then the `model` of the template or request, then this
setting, then the default model. `diptych.toml` and `DIPTYCH_*` are read by the commands alone. In Python pass the
values: `client.send(rendered, model=…)`, `diptych.Client(base_url=…)`, `diptych.Library(folder)`; a client without
them reads the `OPENAI_*` variables.

"""


def error_page() -> str:
    found = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.DiptychError)]
    parts = ["# Errors\n\nAll derive from `DiptychError`, survive pickling, and carry no secret."]
    for cls in found:
        if not cls.__name__.startswith("_"):
            text = inspect.cleandoc(cls.__doc__ or "").split(">>>")[0].strip()
            parts.append(f"## {cls.__name__} (`{cls.error_code}`)\n\n{_literal(text)}")
    return "\n\n".join(parts) + "\n"


def formats_page() -> str:
    entries = list_formats()
    pages = {name: page for page, (_, names) in _docstrings().items() for name in names}
    rows = [
        f"| [`{e.name}`](formats/{pages[e.name]}.md) | {e.kind} | {e.direction} | {_cell(e.mapping)} |" for e in entries
    ]
    said = "Every format that Diptych reads or writes: prompt texts, message APIs and rows of training data."
    head = f"# Formats\n\n{said}\n\n"
    return head + "| name | kind | direction | mapping |\n|---|---|---|---|\n" + "\n".join(rows) + "\n" + known_rows()


def known_rows() -> str:
    """Return the table of the rows that people have, from those that the tests convert."""
    head = "\n## Rows of data sets and tools\n\n`diptych migrate data` finds the layout of these rows itself.\n\n"
    lines = ["| data set or tool | columns | becomes |", "|---|---|---|"]
    for line in (ROOT / "tests/migrate/data/known.jsonl").read_text("utf-8").splitlines():
        known = json.loads(line)
        columns = ", ".join(f"`{name}`" for name in known["row"])
        became = f"`{known['to']}`" if "wanted" in known else f"refused: {_cell(known['refused'])}"
        lines.append(f"| {known['name']} | {columns} | {became} |")
    return head + "\n".join(lines) + "\n"


def format_page(page: str) -> str:
    """Return the page of one file of formats: its mapping, its losses, a worked example."""
    from diptych import convert

    text, names = _docstrings()[page]
    parts = [f"# {', '.join(names)}", _literal(text)]
    for name in names:
        if name in grammars() or name in {entry.name for entry in list_formats("api")}:
            found = convert(EXAMPLE, target=name, on_loss="ignore")
            shown = found.output if isinstance(found.output, str) else json.dumps(found.output, indent=2)
            losses = "".join(f"- `{entry.kind}` at `{entry.path}`: {entry.detail}\n" for entry in found.losses)
            parts.append(f"## {name}, an example\n\n```text\n{shown}\n```\n\n{losses or 'Nothing is lost.'}".rstrip())
        if name in _TABLED:
            parts.append(fields_of(name))
    return "\n\n".join(parts) + "\n"


#: The APIs whose bodies are tables of fields.
_TABLED = {"anthropic", "gemini", "responses", "ollama"}
#: A chat that shows what a format keeps: a system text, a name, two turns.
EXAMPLE = [
    {"role": "system", "content": "You are a translator."},
    {"role": "user", "name": "Ann", "content": 'Translate the following English text to French: "Hello"'},
    {"role": "assistant", "content": "Bonjour"},
    {"role": "user", "content": "And goodbye?"},
]


def fields_of(name: str) -> str:
    """Return the tables of an API: where a body says what the neutral model calls by its own name."""
    api = importlib.import_module(f"diptych.apis.{name}.request").API
    rows = [_row("parameter", row) for row in api.params]
    for kind in (*api.parts, *filter(None, (api.tool, api.format))):
        marks = ", ".join(f"`{path}: {constant}`" for path, constant in kind.fixed.items())
        rows += [_row(f"{kind.cls.__name__} {marks}".strip(), row) for row in kind.fields]
    head = "| of | field | neutral name | note |\n|---|---|---|---|\n"
    rest = "Any other field is kept for this API, and reported where another one is written."
    return f"## {name}, field by field\n\n{rest}\n\n{head}" + "\n".join(dict.fromkeys(rows))


def _row(of: str, row: Any) -> str:
    return f"| {of} | `{row.path}` | `{row.to}` | {_cell(row.note)} |"


def _docstrings() -> dict[str, tuple[str, list[str]]]:
    """Return for each file of formats its docstring (what becomes what, what is lost) and its names."""
    found = {}
    for page, module in modules():
        names = [entry.name for entry in (*grammars_in(module), *formats_in(module))]
        if names and module.__doc__:
            found[page] = (inspect.cleandoc(module.__doc__), names)
    return found


def worked_example() -> str:
    """Return the running example in every text format."""
    from diptych import to_prompt

    chat = [{"role": "user", "content": 'Translate the following English text to French: "Hello"'}]
    rows = [f"| `{name}` | `{_cell(repr(to_prompt(chat, format=name).text))}` |" for name in sorted(grammars())]
    return "## The running example in every text format\n\n| format | text |\n|---|---|\n" + "\n".join(rows) + "\n"


EXACT = """# Exact texts

How often a text format writes the same bytes as the chat template of a model it is for. The contexts are those of a
collection of real templates: chats with and without a system message, turns in an unusual order, white space and markup
in contents; under *tools*, declared tools, calls and their results. A first mark that tokenizers add may be there or
not. *Reported* are texts that differ where the writer says so by a loss; *exact* means that all others are the same.
For
any other template, give the template itself: see [Chat templates](../how-to/chat-templates.md).

"""


def exact_page() -> str:
    """Return how many texts of models' own templates each format writes byte for byte, as the tests measured it."""
    from tests.text import official

    rows = [_exact_row(row) for row in sorted(official.recorded(), key=lambda row: row["format"])]
    head = "| format | template | plain | exact | tools | exact | other texts |\n|---|---|---|---|---|---|---|\n"
    return EXACT + head + "\n".join(rows) + "\n"


def _exact_row(row: dict[str, Any]) -> str:
    from tests.text import official

    cells, other = [], []
    for kind in ("plain", "tools"):
        figure = row.get(kind)
        cells += [official.share(figure), "yes" if figure and official.is_exact(figure) else "no" if figure else ""]
        other += figure["other"] if figure else []
    shown = ", ".join(f"`{name}`" for name in sorted(set(other)))
    return f"| `{row['format']}` | {row['template']} | {' | '.join(cells)} | {shown} |"


def checks_page() -> str:
    """Return every rule of ``diptych check``: what it says, what it finds, what is right."""
    head = (
        "# Checks\n\nThe rules of `diptych check`; `diptych explain CODE` prints one. Codes that begin with `T` are of "
        "template files, those with `H` of models' chat templates, those with `UP` of the upgrade from 0.1, which are "
        "asked for with `--select UP`.\n\n"
    )
    rows = [f"| [`{r.code}`](#{r.code.lower()}) | {_cell(r.explanation.splitlines()[0])} |" for r in all_rules()]
    parts = [head + "| code | finds |\n|---|---|\n" + "\n".join(rows)]
    for rule in all_rules():
        examples = f"Found:\n\n```jinja\n{_short(rule.bad)}\n```\n\nRight:\n\n```jinja\n{_short(rule.good)}\n```"
        parts.append(f"## {rule.code}\n\n{_literal(rule.explanation)}\n\n{examples}")
    return "\n\n".join(parts) + "\n"


def _short(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) < 400 else f"{text[:200]} …"


def conversions_page() -> str:
    """Return for each API what becomes of a request of every feature in every other API: converted, not claimed."""
    from tests.oracles.features import FEATURES

    apis = sorted({entry.name for entry in list_formats("api")} & set(FEATURES))
    parts = [CONVERSIONS]
    for source, bodies in ((api, FEATURES[api]) for api in apis):
        plain = {target: _told(bodies["plain text"], source, target) for target in apis}
        parts.append(f"## From {source}\n\n| feature | {' | '.join(apis)} |\n|---|{'---|' * len(apis)}")
        for feature, body in bodies.items():
            known = {} if feature == "plain text" else plain
            told = [_told(body, source, target) - known.get(target, set()) for target in apis]
            cells = [", ".join(sorted({f"`{kind}`" for _, kind in found})) or "✓" for found in told]
            parts[-1] += f"\n| {feature} | {' | '.join(cells)} |"
    return "\n\n".join(parts) + "\n"


def _told(body: dict[str, Any], source: str, target: str) -> set[tuple[str, str]]:
    """Return path and kind of everything above exact that a conversion reports."""
    from diptych import FormatError, LossError, convert

    try:
        found = convert(body, source=source, target=target, on_loss="ignore").losses
    except LossError as error:
        found = error.losses
    except FormatError:
        return {("$", "unreadable")}
    return {(entry.path, entry.kind) for entry in found if entry.severity > loss.Severity.EXACT}


CONVERSIONS = """# What survives

One small request per feature, converted from each API to each other while this page was made. ✓: all of
it arrives. Otherwise the [kinds of loss](losses.md) that the conversion reports: `…-dropped` is gone,
`unsupported` is refused whatever the policy, anything else has changed. Nothing is lost that is not
reported: the tests convert requests of the official SDKs' types and follow every leaf."""


def filters_page() -> str:
    """Return the filters that Jinja has not, with their examples."""
    left_out = ", ".join(f"`{name}`" for name in REMOVED_FILTERS)
    parts = [f"# Filters\n\nBeside the filters of Jinja, which are all there but for {left_out}."]
    for name, function in {**FILTERS, "tojson": tojson}.items():
        text, _, example = inspect.cleandoc(function.__doc__ or "").partition(">>>")
        shown = f"\n\n```pycon\n>>> {example.strip()}\n```" if example else ""
        signature = str(inspect.signature(function)).split(" ->")[0]
        parts.append(f"## {name}\n\n`{name}{signature}`\n\n{_literal(text.strip())}{shown}")
    return "\n\n".join(parts) + "\n"


def team_page() -> str:
    """Return the ten templates of ``examples/prompts``, each with what its first sample renders."""
    folder = ROOT / "examples" / "prompts"
    library = Library(folder)
    parts = ["# Templates of a team\n\nTen templates as teams write them, with the messages of a sample."]
    for name in sorted(name for name in library if "/" not in name):
        template = library[name]
        sample = next(iter(template.samples))
        rendered = template.render(template.samples[sample])
        shown = "\n\n".join(_message(message) for message in rendered.messages)
        source = (folder / name).read_text("utf-8").rstrip("\n")
        parts.append(
            f"## {template.name}\n\n{template.description}\n\n`````jinja\n{source}\n`````\n\n"
            f"Rendered with {sample}:\n\n`````text\n{shown}\n`````"
        )
    return "\n\n".join(parts) + "\n"


def _message(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(part.get("text") or json.dumps(part, ensure_ascii=False) for part in content)
    return f"[{message['role']}]\n{content}"


def command_line() -> str:
    command = typer.main.get_command(make_app())
    parts = [
        "# Command line\n\nData on standard output, everything else on standard error. Exit codes: 0 ok, 1 findings, "
        "over a limit, or some lines failed, 2 usage, 3 network or server, 130 interrupted. Every command "
        "takes `--debug` (show tracebacks) and `--quiet` (no warnings and notes on "
        "standard error; errors and the exit code stay)."
    ]
    parts += list(_commands(command, "diptych"))
    return "\n\n".join(parts) + "\n"


def _commands(command: object, path: str) -> list[str]:
    inner = getattr(command, "commands", None)
    if inner:
        return [part for name, sub in inner.items() for part in _commands(sub, f"{path} {name}")]
    rows = []
    for param in getattr(command, "params", ()):
        if param.name != "help":
            names = ", ".join(f"`{o}`" for o in param.opts) if param.param_type_name == "option" else param.name.upper()
            rows.append(f"| {names} | {_cell(getattr(param, 'help', None) or '')} |")
    text = inspect.cleandoc(getattr(command, "help", "") or "")
    table = "| option | does |\n|---|---|\n" + "\n".join(rows) if rows else ""
    return [f"## {path}\n\n{_literal(text)}\n\n{table}".rstrip()]


def json_page() -> str:
    """Return the fields of every JSON document that a command prints."""
    parts = [
        "# JSON documents\n\nWith `--json` a command prints one JSON object. Money is text with all its digits (USD), "
        "times are seconds. A later version may add fields, and changes none. `diptych schema COMMAND` prints the "
        "JSON Schema:\n\n```bash\ndiptych schema count\n```"
    ]
    for command, shapes in DOCUMENTS.items():
        schema = schema_of(command)
        found = schema.get("$defs", {}) | {schema["title"]: schema}
        parts.append(f"## diptych {command}")
        parts += [_fields(found.get(shape.__name__, schema)) for shape in shapes]
    return "\n\n".join(parts) + "\n"


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        f"| `{name}` | {_json_type(field)} | {'always' if name in required else 'where it applies'} |"
        for name, field in schema["properties"].items()
        if name != "version"
    ]
    about = f"{_literal(schema['description'])}\n\n" if "description" in schema else ""
    return about + "| field | type | present |\n|---|---|---|\n" + "\n".join(rows)


def _json_type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_json_type(one) for one in field["anyOf"])
    if "$ref" in field:
        return "object"
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    kind = str(field.get("type", "any JSON value"))
    return f"array of {_json_type(field['items'])}" if kind == "array" and field.get("items") else kind


def _literal(text: str) -> str:
    """Return a docstring as Markdown: double back quotes become single ones."""
    text = re.sub(r"``(.+?)``", r"`\1`", text, flags=re.DOTALL)
    return re.sub(r":\w+:`~?(.+?)`", r"`\1`", text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PAGES = {
    "losses": losses,
    "errors": error_page,
    "configuration": configuration_page,
    "formats": lambda: formats_page() + "\n" + worked_example(),
    "command-line": command_line,
    "json": json_page,
    "exact": exact_page,
    "checks": checks_page,
    "conversions": conversions_page,
    "filters": filters_page,
    "team-templates": team_page,
    "template-layouts": layouts_page,
    "python": python_page,
    **{f"formats/{page}": partial(format_page, page) for page in _docstrings()},
}


def build_site() -> None:
    """Build ``build/docs`` with zensical; warnings are errors. Every page lies beside it as Markdown, too."""
    subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=ROOT, check=True)
    site = ROOT / "build" / "docs"
    for page in sorted(DOCS.rglob("*.md")):
        shutil.copy(page, site / page.relative_to(DOCS))
    (site / "llms.txt").write_text(llms(), "utf-8")


def llms() -> str:
    """Return the index for language models: every page as Markdown with its first sentence."""
    pages = [(page, page.relative_to(DOCS).as_posix()) for page in sorted(DOCS.rglob("*.md"))]
    rows = [f"- [{_title(page)}]({name}): {_first(page)}" for page, name in pages]
    return f"# Diptych\n\n> {_first(DOCS / 'index.md')}\n\n## Pages\n\n" + "\n".join(rows) + "\n"


def _title(page: Path) -> str:
    return next(line[2:] for line in page.read_text("utf-8").splitlines() if line.startswith("# "))


def _first(page: Path) -> str:
    """Return the first paragraph of a page as one line, its first sentence where it is long."""
    text = re.sub(r"<!--.*?-->|^#[^\n]*$|^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    paragraph = next((part for part in map(str.strip, text.split("\n\n")) if part and part[0] not in "|<!-"), "")
    return re.split(r"(?<=\.)\s", " ".join(paragraph.split()), maxsplit=1)[0]


def main() -> int:
    stale = []
    for name, make in PAGES.items():
        file, text = DOCS / "reference" / f"{name}.md", NOTE + make()
        if not file.is_file() or file.read_text("utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")
    if "--check" in sys.argv:
        for name in stale:
            print(f"docs/reference/{name}.md is stale: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    build_site()
    return 0


if __name__ == "__main__":
    sys.exit(main())
