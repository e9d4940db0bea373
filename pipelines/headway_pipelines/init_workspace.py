"""`headway init`: a first workspace from logs nobody has described yet."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from headway.errors import InputError
from headway.models.explain import listed
from headway.models.plan import parse_plan
from headway.models.product import parse_product
from headway.models.properties import snake_case
from headway_pipelines.ingest import landed
from headway_pipelines.privacy.guesses import Guess
from headway_pipelines.privacy.survey import Survey, survey
from headway_pipelines.sources.config import parse_sources
from headway_pipelines.workspace import Workspace, write_atomically

SOURCE_FORMATS = ("segment", "segment_wire", "access_log")
"""Formats that need no mapping; the others are described in sources.yml first."""

_ACTIVE = 3


@dataclass(frozen=True)
class Initialised:
    """What was made.

    Attributes:
        workspace: The new workspace.
        source_formats: How the logs are read.
        lines: Lines of the logs that were looked at.
        events: Events declared in the plan.
        properties: Properties declared in the plan.
        sensitive: Of those, how many look personal.
        linked: Links made below ``raw/``.
        follows: Whether files that land later are found without a further link.
    """

    workspace: Workspace
    source_formats: tuple[str, ...]
    lines: int
    events: int
    properties: int
    sensitive: int
    linked: int
    follows: bool


def init_workspace(root: Path, paths: Sequence[Path], source_format: str | None = None) -> Initialised:
    """Makes a workspace on logs: links them, looks at a sample through the gate, writes a first plan and product.

    Raw logs are read in place, so nothing is copied. A single folder becomes ``raw/`` itself, by a link: whatever
    lands in it later belongs to the workspace. Several paths, or files, are linked below ``raw/`` file by file.

    Args:
        root: Folder of the new workspace; a ``sources.yml`` in it says how the logs are read.
        paths: Log files and folders.
        source_format: One of `SOURCE_FORMATS`; None tries them.

    Returns:
        What was made.

    Raises:
        InputError: The folder is a workspace already, a path does not exist, or the logs cannot be read.
    """
    workspace = Workspace(root.expanduser().absolute())
    known = [p.name for p in (workspace.plan_file, workspace.product_file) if p.exists()]
    if known:
        raise InputError(
            f"{workspace.root} is a workspace already: it has {listed(known)}. Name another folder."
        )
    if source_format not in (*SOURCE_FORMATS, None):
        raise InputError(
            f"{InputError.unknown('source', str(source_format), SOURCE_FORMATS)} Other formats need a mapping: "
            f"write {workspace.sources_file} first, then run init again without a source."
        )
    linked, follows = _link(workspace, paths)
    found, formats = _survey(workspace, source_format)
    plan_text, product_text = _written(workspace.root.name, found)
    plan = parse_plan(plan_text)
    parse_product(product_text, plan)
    if not workspace.sources_file.exists() and formats != ("segment",):
        write_atomically(workspace.sources_file, f"sources:\n  {formats[0]}: {{format: {formats[0]}}}\n")
    write_atomically(workspace.product_file, product_text)
    write_atomically(workspace.plan_file, plan_text)
    return Initialised(
        workspace,
        formats,
        found.lines,
        len(plan.events),
        len(found.guesses),
        sum(guess.class_ == "sensitive" for guess in found.guesses),
        linked,
        follows,
    )


def _link(workspace: Workspace, paths: Sequence[Path]) -> tuple[int, bool]:
    """Links the logs below ``raw/``; says how many links were made and whether later files are seen."""
    given = [path.expanduser().absolute() for path in paths]
    if missing := [p for p in given if not p.exists()]:
        raise InputError(f"{missing[0]} does not exist. Name the files or folders that hold the logs.")
    outside = [p for p in given if not p.is_relative_to(workspace.raw)]
    if any(workspace.root.is_relative_to(p) for p in outside):
        raise InputError(f"{workspace.root} lies inside the logs' folder. Name a folder outside of it.")
    workspace.root.mkdir(parents=True, exist_ok=True)
    if workspace.raw.is_symlink() and outside:
        # From an earlier try. A link made below it would land in the logs' own folder.
        if [p.resolve() for p in outside] != [workspace.raw.resolve()]:
            raise InputError(f"{workspace.raw} is a link to another folder. Remove that link first.")
        return 0, True
    if [p.is_dir() for p in outside] == [True] and not workspace.raw.exists():
        workspace.raw.symlink_to(outside[0], target_is_directory=True)
        return 1, True
    workspace.raw.mkdir(exist_ok=True)
    links = 0
    for path in outside:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            target = workspace.raw / file.relative_to(path.parent)
            if file.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(file)
                links += 1
    return links, not outside


def _survey(workspace: Workspace, source_format: str | None) -> tuple[Survey, tuple[str, ...]]:
    """Looks at the logs as `sources.yml` says, else in the given format, else in the one that finds most events."""
    if workspace.sources_file.exists():
        files = [(f.path, f.source) for f in landed(workspace) if f.source is not None]
        tried = {tuple(dict.fromkeys(source.format for _, source in files)): survey(files)}
    else:
        paths = [f.path for f in landed(workspace)]
        tried = {}
        for name in (source_format,) if source_format else SOURCE_FORMATS:
            (source,) = parse_sources(f"sources: {{{name}: {{format: {name}}}}}")
            tried[name,] = survey([(path, source) for path in paths])
            if tried[name,].outcomes.get("event", 0) > tried[name,].lines / 2:
                break
    formats = max(tried, key=lambda name: tried[name].outcomes.get("event", 0))
    found = tried[formats]
    if not found.events:
        seen = ", ".join(f"{n} {outcome}" for outcome, n in found.outcomes.items())
        raise InputError(
            f"no event was found often enough in {found.lines} lines ({seen or 'none could be read'}; tried: "
            f"{listed('+'.join(each) for each in tried)}). Name the format with --source "
            f"({listed(SOURCE_FORMATS)}), or describe the files in {workspace.sources_file} and run init again."
        )
    return found, formats


def _written(name: str, found: Survey) -> tuple[str, str]:
    # YAML, not HTML: `quoted` does the quoting.
    templates = Environment(
        loader=PackageLoader("headway_pipelines", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"quoted": _quoted, "declared": _declared}
    # The name of a folder may be anything; what cannot be shown is not written.
    product = re.sub(r"[^A-Za-z0-9]+", " ", name).strip().capitalize() or "Product"
    events = [
        {"name": event, "n": n, "properties": [g for g in found.guesses if event in g.events]}
        for event, n in found.events.items()
    ]
    plan = templates.get_template("tracking_plan.yml.j2").render(
        product=product.lower(),
        lines=found.lines,
        events=events,
        hidden=found.hidden_events + found.hidden_properties,
        hidden_events=found.hidden_events,
        hidden_properties=found.hidden_properties,
        traits=found.traits,
    )
    names = list(found.events)
    hosts = [snake_case(g.name) for g in found.guesses if g.class_ == "url" and "refer" in g.name.lower()]
    return plan, templates.get_template("product.yml.j2").render(
        product=product,
        activity=names[:_ACTIVE],
        first=names[0],
        second=names[1] if len(names) > 1 else None,
        campaigns=any("query" in g.options for g in found.guesses),
        referrer=hosts[0] if hosts else None,
    )


def _quoted(value: str | list[str]) -> str:
    """A text or a list of texts as YAML; JSON's quoting is also YAML's."""
    if isinstance(value, list):
        return f"[{', '.join(_quoted(each) for each in value)}]"
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*( [A-Za-z0-9_]+)*", value)
    words = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
    return value if plain and value.lower() not in words else json.dumps(value, ensure_ascii=False)


def _declared(guess: Guess) -> str:
    keys: dict[str, Any] = {"class": guess.class_, **guess.options}
    return f"{{{', '.join(f'{key}: {_quoted(value)}' for key, value in keys.items())}}}"
