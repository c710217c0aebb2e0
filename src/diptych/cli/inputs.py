"""Where commands get their templates, inputs and files from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..config import setting
from ..errors import DiptychError, FormatError, InvalidInput, TemplateNotFound
from ..suggest import suggest
from ..templating.library import Library, load
from ..templating.media import sniffed
from ..templating.schema import takes_text
from ..templating.template import Template


def gallery() -> Path | None:
    """Return the stock templates: in the wheel, or beside the source of an editable install."""
    packaged = Path(str(files("diptych"))) / "templates"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parents[3] / "templates"
    return checkout if checkout.is_dir() else None


def libraries() -> list[tuple[str, Library]]:
    """Return the libraries in the order of their search, with what to call them."""
    found: list[tuple[str, Library]] = []
    found += [(folder, Library(folder)) for folder in setting("templates") or ()]
    if Path("templates").is_dir():
        found.append(("templates", Library("templates")))
    if stock := gallery():
        found.append(("stock", Library(stock)))
    return found


def find_template(name: str) -> Template:
    """Return the template of a path, a name in a library, or ``-`` for standard input.

    Raises TemplateNotFound with a did-you-mean.
    """
    if name == "-":
        return Template.from_string(sys.stdin.read(), name="<stdin>")
    if Path(name).is_file():
        return load(name)
    for _, library in libraries():
        if name in library:
            return library[name]
    known = {stem(n) for _, library in libraries() for n in library}
    raise TemplateNotFound(
        f"there is no template {name!r}", hint=suggest(name, known, "list them with `diptych templates list`")
    )


def stem(name: str) -> str:
    """Return a template's name without its suffix."""
    return name.rsplit(".", 1)[0] if name.endswith((".jinja", ".jinja2", ".j2")) else name


def read_vars(pairs: list[str], file: str | None) -> dict[str, Any]:
    """Return the inputs of ``--vars FILE`` with those of ``-p k=v`` on top."""
    values: dict[str, Any] = {}
    if file:
        loaded = read_data(file)
        if not isinstance(loaded, dict):
            raise InvalidInput(f"{file} does not hold a mapping of inputs")
        values.update(loaded)
    for pair in pairs:
        name, is_json, value = _split(pair)
        values[name] = _json(name, value) if is_json else _text(name, value)
    return values


def _split(pair: str) -> tuple[str, bool, str]:
    """Return the name of ``name=value`` or ``name:=json``, whether it is JSON, and the value."""
    name, equals, value = pair.partition("=")
    is_json = name.endswith(":")
    name = name.removesuffix(":")
    if not equals or not name:
        raise InvalidInput(f"-p takes name=text, name=@FILE or name:=json, not {pair!r}")
    return name, is_json, value


def _json(name: str, value: str) -> Any:
    try:
        return loads(value)
    except ValueError as error:
        hint = f"write {name}=… for a text"
        raise InvalidInput(f"{name}:= is not JSON: {error}", path=f"$.inputs.{name}", hint=hint) from None


def _text(name: str, value: str) -> str | bytes:
    """Return the text of a value: that of a file after ``@``; ``@@`` begins a text with one ``@``.

    A picture, a sound or a PDF is its bytes.
    """
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    try:
        data = Path(value[1:]).read_bytes()
        return data if data.startswith(b"%PDF-") else data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        hint = f"write {name}=@{value} for a text that begins with @"
        raise InvalidInput(f"{value[1:]}: {error.strerror}", path=f"$.inputs.{name}", hint=hint) from None
    except UnicodeDecodeError:
        if sniffed(data):
            return data
        hint = "save a text as UTF-8; a picture, a sound or a PDF has to begin as its format does"
        raise InvalidInput(f"{value[1:]}: not UTF-8 text", path=f"$.inputs.{name}", hint=hint) from None


def typed(values: Mapping[str, Any], template: Template, given: list[str]) -> dict[str, Any]:
    """Read the texts of ``-p`` by the template's types: what is not declared as text is JSON."""
    result = dict(values)
    for name, is_json, _ in map(_split, given):
        declared = template.inputs.get(name)
        if is_json or declared is None or takes_text(declared.schema):
            continue
        if isinstance(result[name], bytes):
            continue
        try:
            result[name] = loads(result[name])
        except ValueError:
            kind = declared.schema.get("type", "value that is not text")
            article = "an" if str(kind)[0] in "aio" else "a"
            raise InvalidInput(
                f"input {name!r} is {article} {kind}: give it as JSON", path=f"$.inputs.{name}"
            ) from None
    return result


def read_file(name: str) -> str:
    """Return the text of a file, or of standard input for ``-``."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except FileNotFoundError:
        if not any(name in library for _, library in libraries()):
            raise
        hint = f"a template has this name: `diptych render {name}` shows it, `diptych cost {name}` counts and prices it"
        raise FormatError(f"{name}: there is no such file", hint=hint) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not UTF-8 text (byte {error.start})") from None


def read_data(name: str) -> Any:
    """Return the JSON or YAML value of a file or of standard input."""
    text = read_file(name)
    if name.endswith((".yaml", ".yml")):
        import yaml

        from ..templating.frontmatter import PlainLoader

        try:
            return yaml.load(text, Loader=PlainLoader)  # noqa: S506 - a restricted loader
        except yaml.YAMLError as error:
            raise FormatError(f"{name} is not YAML: {error}") from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise FormatError(f"{name} is not JSON: {error}") from None


def loads(text: str) -> Any:
    """Return a JSON value. Raises ValueError for what is not JSON, ``NaN`` and ``Infinity`` too."""

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not a number of JSON")

    return json.loads(text, parse_constant=refuse)


def iter_jsonl(name: str) -> Iterator[Any]:
    """Yield the value of each line, or the error of a bad one."""
    stream = sys.stdin.buffer if name == "-" else open(name, "rb")  # noqa: SIM115 - closed below
    try:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                yield _broken_line(error, f"{'<stdin>' if name == '-' else name}:{number}")
    finally:
        if name != "-":
            stream.close()


def _broken_line(error: Exception, place: str) -> FormatError:
    if isinstance(error, json.JSONDecodeError):
        return FormatError(f"not valid JSON: {error.msg[0].lower()}{error.msg[1:]}", path=f"{place}:{error.colno}")
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return FormatError(f"not valid JSON: {reason}", path=place)


def error_json(error: BaseException) -> dict[str, Any]:
    """Return the JSON object that stands in the place of a bad line."""
    code = error.error_code if isinstance(error, DiptychError) else "unexpected"
    message = error.message if isinstance(error, DiptychError) else str(error)
    where = error.where() if isinstance(error, DiptychError) else None
    return {"error": {"code": code, "message": message, "path": where}}
