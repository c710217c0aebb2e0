"""One source from its parsed tree to its new text: find, follow, decide, write.

Rule: everything is looked at before anything is written; the new text is parsed again,
and a text that would not parse is never given out.
"""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from ...errors import MigrationError
from .arguments import Arguments
from .batches import Batches
from .bindings import Bindings
from .calls import Calls
from .chat_models import ChatModels
from .constants import Constants
from .continuations import Continuations
from .edits import Edit, apply
from .functions import Functions
from .http import Http
from .imports import Imports
from .inputs import Inputs
from .langchain import LangChain
from .leftovers import Leftovers
from .mocks import Mocks
from .model import CODES, NOTHING_HELD, CodeMigration, Held
from .models import NO_MAP, Models
from .plan import Plan, Settled
from .prompts import Prompts
from .results import Results
from .source import Source
from .targets import RESPONSES
from .todo import todo_edits
from .unseen import Unseen
from .wrapping import wrapped


def planned(
    source: Source, outside: Collection[str] = (), models: Models = NO_MAP, held: Held = NOTHING_HELD
) -> Settled:
    """Return what changes in a source, and what is refused.

    Raises MigrationError where the analysis fails: such a file is reported, and left as it is.
    """
    try:
        return _planned(source, outside, models, held)
    except Exception as error:
        detail = f"{type(error).__name__}: {error}"
        place = f"{source.file}:1:1"
        raise MigrationError(f"the analysis failed: {detail}", path=place, hint=CODES["internal"][1]) from error


def _planned(source: Source, outside: Collection[str], models: Models, held: Held) -> Settled:
    plan = Plan(source, models, held)
    bindings = Bindings(source)
    functions = Functions(source, outside)
    constants = Constants(plan, functions.exported)
    continuations, batches = Continuations(plan), Batches(plan)
    results = Results(plan, functions, continuations, batches)
    imports = Imports(plan, functions.exported)
    kind = Inputs if plan.target == RESPONSES else Arguments
    arguments = kind(plan, constants, Prompts(plan, continuations, batches))
    Calls(plan, bindings, arguments, results, imports).find()
    http = Http(plan, bindings, arguments, results)
    http.find()
    LangChain(plan, bindings, imports).find()
    Mocks(plan, bindings, http).find()
    ChatModels(plan, bindings, constants).find()
    http.report_rest()
    Unseen(plan, bindings).find()
    Leftovers(plan).find()
    results.settle()
    continuations.settle()
    return plan.settle()


def migrate_source(
    source: Source,
    outside: Collection[str] = (),
    *,
    todo: bool = False,
    models: Models = NO_MAP,
    held: Held = NOTHING_HELD,
) -> CodeMigration:
    """Return the migration of a parsed source."""
    edits, changes, refusals, links, prompts = planned(source, outside, models, held)
    if todo:
        more, told = todo_edits(source, refusals)
        edits, changes = [*edits, *more], [*changes, *told]
    text = written(source, edits, models.width)
    return CodeMigration(text, tuple(sorted(changes)), tuple(sorted(refusals)), tuple(links), tuple(prompts))


def written(source: Source, edits: list[Edit], width: int | None = None) -> str:
    """Return the new text, its lines no longer than ``width`` where they were not before.

    Raises MigrationError where it would not parse: nothing is changed then.
    """
    try:
        text = apply(source.text, edits)
        cst.parse_module(text)
    except (ValueError, cst.ParserSyntaxError) as error:
        raise MigrationError(f"the changes do not go together: {error}", path=f"{source.file}:1:1") from error
    return text if width is None else wrapped(source.text, edits, text, width)
