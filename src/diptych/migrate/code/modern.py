"""Code of openai before 1 becomes code of openai 1 and later: resources, clients, errors, answers.

Rule: a source moves as a whole or not at all, since both SDKs cannot be installed at once. Answers were dicts
and are objects now: every subscript of one becomes an attribute, and a use that cannot be followed keeps the
source as it is.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import libcst as cst

from .answers import Answers
from .bindings import Bindings, import_path
from .clients import Clients
from .functions import Functions
from .model import CodeMigration, Refusal
from .models import NO_MAP
from .plan import Plan, Settled, Site
from .source import Source, dotted

#: Functions of the old SDK and what they are called on a client. None is a thing that no endpoint answers now.
_RESOURCES: Final[dict[str, str | None]] = {
    "ChatCompletion.create": "chat.completions.create",
    "Completion.create": "completions.create",
    "Embedding.create": "embeddings.create",
    "Moderation.create": "moderations.create",
    "Image.create": "images.generate",
    "Image.create_edit": "images.edit",
    "Image.create_variation": "images.create_variation",
    "Audio.transcribe": "audio.transcriptions.create",
    "Audio.translate": "audio.translations.create",
    "Model.list": "models.list",
    "Model.retrieve": "models.retrieve",
    "Edit.create": None,
    "Answer.create": None,
    "Classification.create": None,
    "Search.create": None,
    "FineTune.create": None,
}
#: Classes whose functions need a hand.
_CLASSES: Final = frozenset(name.partition(".")[0] for name in _RESOURCES) | {
    "File",
    "Engine",
    "Deployment",
    "Customer",
}
_ASYNC: Final = {
    "acreate": "create",
    "atranscribe": "transcribe",
    "atranslate": "translate",
    "acreate_edit": "create_edit",
}
ERRORS: Final = {
    "OpenAIError": "OpenAIError", "APIError": "APIError", "APIConnectionError": "APIConnectionError",
    "RateLimitError": "RateLimitError", "AuthenticationError": "AuthenticationError", "Timeout": "APITimeoutError",
    "InvalidRequestError": "BadRequestError", "PermissionError": "PermissionDeniedError",
    "ServiceUnavailableError": "InternalServerError", "TryAgain": "APIStatusError",
}  # fmt: skip
_RENAMED: Final = {
    "engine": "model",
    "deployment_id": "model",
    "request_timeout": "timeout",
    "headers": "extra_headers",
}
_OF_CLIENT: Final = frozenset({"api_key", "api_base", "api_type", "api_version", "organization"})
#: Positional arguments of the audio functions.
_AUDIO: Final = ("model", "file")


class _Use(NamedTuple):
    node: Any
    path: str
    site: Site


class Modern:
    """Moves one source."""

    def __init__(self, source: Source, *, is_configured_elsewhere: bool) -> None:
        self.source = source
        self.plan = Plan(source, NO_MAP)
        self.bindings = Bindings(source)
        self.clients = Clients(self.plan, is_configured_elsewhere=is_configured_elsewhere)
        self.answers = Answers(self.plan, Functions(source))
        self.uses: list[_Use] = []
        self.dead: list[Refusal] = []

    def run(self) -> None:
        """Look at every use of the old SDK, then write."""
        for node in self.source.nodes:
            if isinstance(node, cst.ImportFrom):
                self._import(node)
            elif isinstance(node, cst.Attribute) and not isinstance(self.source.parent(node), cst.Attribute):
                self._attribute(node)
        self.answers.settle()
        self.clients.write(self.uses_async(), [use.site for use in self.uses])

    def uses_async(self) -> tuple[bool, bool]:
        """Return whether clients are asked, and whether asynchronous ones are."""
        names = [use.path.rpartition(".")[2] for use in self.uses]
        return any(name not in _ASYNC for name in names), any(name in _ASYNC for name in names)

    def _path(self, node: Any) -> str:
        """Return the path of an expression inside openai, by the import of its root; "" for any other."""
        root = node
        while isinstance(root, cst.Attribute):
            root = root.value
        found = self.source.bindings(root) if isinstance(root, cst.Name) else []
        binding = found[0] if found else None
        if not isinstance(binding, cst.Import | cst.ImportFrom) or not isinstance(root, cst.Name):
            return ""
        path = ".".join([import_path(binding, root.value), *dotted(node)[1:]])
        return path.removeprefix("openai.") if path.startswith("openai.") else ""

    def _import(self, node: cst.ImportFrom) -> None:
        module = ".".join(dotted(node.module)) if node.module else ""
        if isinstance(node.names, cst.ImportStar) or node.relative or module not in ("openai", "openai.error"):
            return
        for alias in node.names:
            name = ".".join(dotted(alias.name))
            if module == "openai.error":
                self._error_import(node, alias, name)
            elif name in _CLASSES or name == "error":
                self._refuse(node, f"from openai import {name}: write openai.{name}")
        if module == "openai.error" and node.module is not None:
            self._edit(node, *self.source.span(node.module), "openai")

    def _error_import(self, node: cst.ImportFrom, alias: cst.ImportAlias, name: str) -> None:
        new = ERRORS.get(name)
        if new is None:
            self._refuse(node, f"openai.error.{name} has no counterpart")
        elif new != name:
            as_it_was = "" if alias.asname is not None else f" as {name}"
            self._edit(node, *self.source.span(alias.name), new + as_it_was)

    def _attribute(self, node: cst.Attribute) -> None:
        path = self._path(node)
        if not path:
            return
        head, _, name = path.rpartition(".")
        if head == "error":
            if (new := ERRORS.get(name)) is None:
                self._refuse(node, f"openai.error.{name} has no counterpart")
            else:
                value: Any = node.value
                self._edit(node, self.source.span(value.value)[1], self.source.span(node)[1], f".{new}")
        elif path.partition(".")[0] in _CLASSES:
            self._call(node, path)
        elif self.clients.is_setting(path):
            self.clients.setting(node, path)

    def _call(self, node: cst.Attribute, path: str) -> None:
        call: Any = self.source.parent(node)
        class_, _, function = path.partition(".")
        known = f"{class_}.{_ASYNC.get(function, function)}"
        target = _RESOURCES.get(known)
        if not (isinstance(call, cst.Call) and call.func is node):
            self._refuse(node, f"openai.{path} is passed on")
        elif known in _RESOURCES and target is None:
            # It fails with either SDK: that keeps nothing else back.
            self.dead.append(
                Refusal.of(self.source.place(node), "old-sdk", f"openai.{path}: its endpoint is shut down")
            )
        elif target is None:
            self._refuse(node, f"openai.{path}: see the SDK's own guide")
        else:
            site = self.plan.site(call, "sdk")
            self.uses.append(_Use(node, path, site))
            is_async = function in _ASYNC
            self.clients.receiver(site, node, target, is_async=is_async)
            self._arguments(site, call, class_)
            self.plan.change(site, node, f"openai.{path} became {target} of a client", "sdk")
            self.answers.follow(call, site)

    def _arguments(self, site: Site, call: cst.Call, class_: str) -> None:
        for number, arg in enumerate(call.args):
            name = arg.keyword.value if arg.keyword else ""
            if name in _OF_CLIENT:
                self.plan.refuse(site, "old-sdk", f"{name} belongs to a client now")
            elif name in _RENAMED and arg.keyword is not None:
                self.plan.edit(site, *self.source.span(arg.keyword), _RENAMED[name])
            elif not name and not arg.star and class_ == "Audio" and number < len(_AUDIO):
                start = self.source.outer(arg.value)[0]
                self.plan.edit(site, start, start, f"{_AUDIO[number]}=")
            elif not name and not arg.star:
                self.plan.refuse(site, "old-sdk", "an argument has no name")

    def _edit(self, node: Any, start: int, end: int, text: str) -> None:
        site = self.plan.site(node, "sdk")
        self.plan.edit(site, start, end, text)
        self.plan.change(site, node, "a name of openai before 1 became that of openai 1", "sdk")

    def _refuse(self, node: Any, detail: str) -> None:
        self.plan.refuse(self.plan.site(node, "sdk"), "old-sdk", detail)


def moves(source: Source, *, is_configured_elsewhere: bool = False) -> Settled:
    """Return what turns a source of openai before 1 into one of openai 1 and later; nothing where any is refused."""
    modern = Modern(source, is_configured_elsewhere=is_configured_elsewhere)
    modern.run()
    settled = modern.plan.settle()
    refusals = [refusal for refusal in settled.refusals if refusal.code != "shared-result"]
    if refusals:
        return Settled([], [], [*refusals, *modern.dead], [], [])
    return settled._replace(refusals=modern.dead, links=[], prompts=[])


def modernised(source: Source, *, is_configured_elsewhere: bool = False, width: int | None = None) -> CodeMigration:
    """Return a source of openai before 1 as one of openai 1 and later; as it is where anything is refused."""
    from .migration import written

    found = moves(source, is_configured_elsewhere=is_configured_elsewhere)
    text = written(source, found.edits, width)
    return CodeMigration(text, tuple(sorted(found.changes)), tuple(sorted(found.refusals)))
