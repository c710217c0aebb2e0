"""Where the client of openai 1 is made: from the settings of the module, or after its import.

Rule: settings that stand once each, at the top of the module, become a client's arguments. Settings in
functions, or in other modules, stay settings of the module, which openai 1 still reads.
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from .plan import Plan, Site
from .source import Source, text_of

#: Settings of the old module: an argument of a client, and the setting of the new module.
_SETTINGS: Final = {
    "api_key": ("api_key", "api_key"),
    "api_base": ("base_url", "base_url"),
    "organization": ("organization", "organization"),
    "api_type": ("", "api_type"),
    "api_version": ("api_version", "api_version"),
    "proxy": (None, None),
    "api_key_path": (None, None),
    "requestssession": (None, None),
    "verify_ssl_certs": (None, None),
}
_AZURE: Final = {**_SETTINGS, "api_base": ("azure_endpoint", "azure_endpoint")}


class Clients:
    """The client of one source."""

    def __init__(self, plan: Plan, *, is_configured_elsewhere: bool) -> None:
        self.plan, self.is_configured_elsewhere = plan, is_configured_elsewhere
        self.source: Source = plan.source
        #: The settings, by name: the attribute and the statement that sets it.
        self._settings: list[tuple[str, cst.Attribute, Any]] = []
        self._receivers: list[tuple[Site, cst.Attribute, str, bool]] = []

    def is_setting(self, path: str) -> bool:
        """Tell whether a path inside openai is a setting of the old module."""
        return path in _SETTINGS

    def setting(self, node: cst.Attribute, name: str) -> None:
        """Note a setting that is given or read."""
        target: Any = self.source.parent(node)
        is_set = isinstance(target, cst.AssignTarget)
        self._settings.append((name, node, self.source.parent(target) if is_set else None))

    def receiver(self, site: Site, node: cst.Attribute, target: str, *, is_async: bool) -> None:
        """Note a call that a client is asked by."""
        self._receivers.append((site, node, target, is_async))

    def write(self, asked: tuple[bool, bool], sites: list[Site]) -> None:
        """Write the clients, and every call by one."""
        if not self._settings and not self._receivers:
            return
        site = sites[0] if sites else self.plan.site(self._settings[0][1], "sdk")
        is_azure = any(
            text_of(getattr(s, "value", None)) in ("azure", "azure_ad", "azuread") for _, _, s in self._settings
        )
        table = _AZURE if is_azure else _SETTINGS
        for name, node, _ in self._settings:
            if table[name][1] is None:
                self.plan.refuse(site, "old-sdk", f"openai.{name} has no counterpart", at=node)
        if self._receivers and self._stands_at_the_top() and not (self.is_configured_elsewhere and not self._settings):
            self._make(site, table, asked, is_azure=is_azure)
        else:
            self._keep(site, table)

    def _stands_at_the_top(self) -> bool:
        """Tell whether every setting is set once, by a statement at the top of the module, and never read."""
        names = [name for name, _, _ in self._settings]
        if len(set(names)) < len(names):
            return False
        for _, _, statement in self._settings:
            line = self.source.parent(statement) if statement is not None else None
            is_own = isinstance(statement, cst.Assign) and len(statement.targets) == 1
            if not is_own or not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
                return False
            if self.source.parent(line) is not self.source.module:
                return False
        return True

    def _make(self, site: Site, table: Any, asked: tuple[bool, bool], *, is_azure: bool) -> None:
        """Put a client in the place of the last setting, or after the import; the other settings go."""
        given = [(table[name][0], self.source.code(s.value)) for name, _, s in self._settings if table[name][0]]
        arguments = ", ".join(f"{name}={value}" for name, value in given)
        module, kind = self._module(), "AzureOpenAI" if is_azure else "OpenAI"
        names = [self._free("client") if asked[0] else "", self._free("async_client") if asked[1] else ""]
        made = [
            f"{name} = {module}.{prefix}{kind}({arguments})"
            for name, prefix in zip(names, ("", "Async"), strict=True)
            if name
        ]
        text = self.source.newline.join(made)
        if self._settings:
            for _, _, statement in self._settings[:-1]:
                start = self.source.line_start(statement)
                self.plan.edit(site, start, self._line_end(statement), "")
            self.plan.edit(site, *self.source.span(self._settings[-1][2]), text)
        else:
            end = self._line_end(self._import())
            self.plan.edit(site, end, end, f"{self.source.newline}{text}{self.source.newline}")
        for each, node, target, is_async in self._receivers:
            self.plan.edit(each, *self.source.span(node), f"{names[is_async]}.{target}")

    def _keep(self, site: Site, table: Any) -> None:
        """Leave the settings to the module, by their new names, and ask the module."""
        for name, node, _ in self._settings:
            new = table[name][1]
            if new and new != name:
                self.plan.edit(site, *self.source.span(node.attr), new)
        for each, node, target, is_async in self._receivers:
            if is_async:
                self.plan.refuse(each, "old-sdk", "the module's settings do not reach an asynchronous client")
            self.plan.edit(each, *self.source.span(node), f"{self._module()}.{target}")

    # names ---------------------------------------------------------------------------------------

    def _import(self) -> Any:
        """Return the last import at the top of the module before the first call; openai must be among those."""
        first = min((self.source.span(node)[0] for _, node, _, _ in self._receivers), default=0)
        found = [
            node
            for node in self.source.nodes
            if isinstance(node, cst.Import | cst.ImportFrom) and self.source.span(node)[0] < first
            if self.source.parent(self.source.parent(node)) is self.source.module
        ]
        names = [alias.name.value for node in found if isinstance(node, cst.Import) for alias in node.names]
        if "openai" not in names:
            self.plan.refuse(self._receivers[0][0], "old-sdk", "openai is imported inside a function")
            return self.source.module.body[0]
        return found[-1]

    def _module(self) -> str:
        node: Any = self._receivers[0][1] if self._receivers else self._settings[0][1]
        while isinstance(node, cst.Attribute):
            node = node.value
        return str(node.value)

    def _free(self, name: str) -> str:
        bound = {node.value for node in self.source.nodes if isinstance(node, cst.Name)}
        while name in bound:
            name = f"openai_{name}"
        return name

    def _line_end(self, node: Any) -> int:
        """Return the character after the line break of a statement's last line."""
        end = self.source.span(node)[1]
        at = self.source.text.find("\n", end)
        return len(self.source.text) if at < 0 else at + 1
