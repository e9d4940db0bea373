"""`headway init`: a first workspace from logs nobody has described yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from headway.errors import InputError
from headway.models.explain import listed
from headway.models.plan import TrackingPlan, parse_plan
from headway.models.product import parse_product
from headway.models.properties import snake_case
from headway_pipelines.ingest import landed
from headway_pipelines.privacy.guesses import Guess
from headway_pipelines.privacy.survey import Survey, survey
from headway_pipelines.quoting import quoted
from headway_pipelines.recognition import Recognised, Recognition, described, files, recognise
from headway_pipelines.sources.config import load_sources, parse_sources, source_of
from headway_pipelines.sources.formats import formats, plain_formats
from headway_pipelines.sources.shape import Source
from headway_pipelines.workspace import Workspace, write_atomically

_ACTIVE = 3
_MAPPING = """\
    sources:
      orders:
        format: delimited
        files: ["orders/*.csv"]
        event: {value: Order Completed}
        user: customer_id
        time: {column: paid_at}"""


@dataclass(frozen=True)
class Initialised:
    """What was made.

    Attributes:
        workspace: The new workspace.
        recognition: How which files are read.
        lines: Lines of the logs that were looked at.
        events: Events declared in the plan.
        properties: Properties declared in the plan.
        sensitive: Of those, how many look personal.
        linked: Links made below ``raw/``.
        follows: Whether files that land later are found without a further link.
    """

    workspace: Workspace
    recognition: Recognition
    lines: int
    events: int
    properties: int
    sensitive: int
    linked: int
    follows: bool

    @property
    def source_formats(self) -> tuple[str, ...]:
        """Formats of the logs."""
        return tuple(dict.fromkeys(source.format for source in self.recognition.sources))


def init_workspace(root: Path, paths: Sequence[Path], source_format: str | None = None) -> Initialised:
    """Makes a workspace on logs: links them, looks at a sample through the gate, writes a first plan and product.

    Raw logs are read in place, so nothing is copied. A single folder becomes ``raw/`` itself, by a link: whatever
    lands in it later belongs to the workspace. Several paths, or files, are linked below ``raw/`` file by file. Where
    the logs cannot be read, nothing is left behind.

    Args:
        root: Folder of the new workspace; a ``sources.yml`` in it says how the logs are read.
        paths: Log files and folders.
        source_format: A format that needs no mapping, for all files; None recognises the format of each.

    Returns:
        What was made.

    Raises:
        InputError: The folder is a workspace already, a path does not exist, or the logs cannot be read.
    """
    workspace = Workspace(root.expanduser().absolute())
    _refuse(workspace, source_format)
    with _undone_on_failure() as made:
        linked, follows = _link(workspace, paths, made)
        raw = _raw_files(workspace, paths)
        recognition = _recognition(workspace, raw, source_format)
        found = _survey(workspace, raw, recognition)
        plan = _write(workspace, recognition, found, made)
    return Initialised(
        workspace,
        recognition,
        found.lines,
        len(plan.events),
        len(found.guesses),
        sum(guess.class_ == "sensitive" for guess in found.guesses),
        linked,
        follows,
    )


def _refuse(workspace: Workspace, source_format: str | None) -> None:
    known = [p.name for p in (workspace.plan_file, workspace.product_file) if p.exists()]
    if known:
        raise InputError(
            f"{workspace.root} is a workspace already: it has {listed(known)}. Name another folder."
        )
    if source_format is None:
        return
    if source_format not in plain_formats():
        which = source_format if source_format in formats() else "Another format"
        raise InputError(
            f"{InputError.unknown('source', source_format, plain_formats())} {which} needs a mapping: "
            f"write {workspace.sources_file} first, then run init again without a source."
        )
    if workspace.sources_file.exists():
        raise InputError(
            f"{workspace.sources_file} says how the logs are read. Remove it, or leave out --source."
        )


@contextmanager
def _undone_on_failure() -> Iterator[list[Path]]:
    """Takes a list of what is made, in order, and removes it again when something goes wrong."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in reversed(made):
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        raise


def _link(workspace: Workspace, paths: Sequence[Path], made: list[Path]) -> tuple[int, bool]:
    """Links the logs below ``raw/``; says how many links were made and whether later files are seen."""
    given = [path.expanduser().absolute() for path in paths]
    if missing := [p for p in given if not p.exists()]:
        raise InputError(f"{missing[0]} does not exist. Name the files or folders that hold the logs.")
    outside = [p for p in given if not p.is_relative_to(workspace.raw)]
    if any(workspace.root.is_relative_to(p) for p in outside):
        raise InputError(f"{workspace.root} lies inside the logs' folder. Name a folder outside of it.")
    _make_folder(workspace.root, made)
    if workspace.raw.is_symlink() and outside:
        # From an earlier try. A link made below it would land in the logs' own folder.
        if [p.resolve() for p in outside] != [workspace.raw.resolve()]:
            raise InputError(f"{workspace.raw} is a link to another folder. Remove that link first.")
        return 0, True
    if [p.is_dir() for p in outside] == [True] and not workspace.raw.exists():
        workspace.raw.symlink_to(outside[0], target_is_directory=True)
        made.append(workspace.raw)
        return 1, True
    _make_folder(workspace.raw, made)
    links = 0
    for path in outside:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            target = workspace.raw / file.relative_to(path.parent)
            if file.is_file() and not target.exists():
                _make_folder(target.parent, made)
                target.symlink_to(file)
                made.append(target)
                links += 1
    return links, not outside


def _make_folder(folder: Path, made: list[Path]) -> None:
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    made += reversed(new)


def _raw_files(workspace: Workspace, paths: Sequence[Path]) -> dict[str, Path]:
    # First, because what is wrong in it is an input error too.
    load_sources(workspace)
    with suppress(InputError):
        return {each.relative: each.path for each in landed(workspace)}
    raise InputError(
        f"no files under {listed(map(str, paths))}. Hidden files, and those whose name or folder begins with _, are "
        "not read."
    )


def _recognition(workspace: Workspace, raw: dict[str, Path], source_format: str | None) -> Recognition:
    """Says how files are read: as sources.yml says, as --source says, else as the files look."""
    if workspace.sources_file.exists():
        recognition = described(list(raw), load_sources(workspace))
    elif source_format is not None:
        why = (("as --source says", len(raw)),)
        recognition = Recognition((Recognised(source_format, source_format, tuple(raw), why),), {})
    else:
        recognition = recognise(raw)
    if recognition.sources:
        return recognition
    if workspace.sources_file.exists():
        raise InputError(
            f"no source in {workspace.sources_file} claims any of {files(len(raw))} under {workspace.raw}."
        )
    listing = "".join(f"\n  {line}" for line in recognition.left_alone())
    raise InputError(
        f"{files(len(raw))}, and none is of a format that is recognised:{listing}\n"
        f"Recognised are {listed(plain_formats(), limit=99)}; name one with --source if you know better. "
        f"Other formats ({listed(set(formats()) - set(plain_formats()))}) need a mapping: make the folder "
        f"{workspace.root}, write a sources.yml like this one into it, and run init again:\n{_MAPPING}"
    )


def _sources(workspace: Workspace, recognition: Recognition) -> tuple[Source, ...]:
    if workspace.sources_file.exists():
        return load_sources(workspace)
    return parse_sources(recognition.text())


def _survey(workspace: Workspace, raw: dict[str, Path], recognition: Recognition) -> Survey:
    sources = _sources(workspace, recognition)
    chosen = [
        (path, source) for name, path in raw.items() if (source := source_of(sources, name)) is not None
    ]
    found = survey(chosen)
    if found.events:
        return found
    read = listed(f"{source.name} ({source.format})" for source in recognition.sources)
    seen = ", ".join(f"{n} {outcome}" for outcome, n in found.outcomes.items()) or "none could be read"
    if found.outcomes.get("event"):
        raise InputError(
            f"there are events in the logs ({seen}; read as {read}), but none whose name several people sent, and rare "
            "names may hold personal data. Use more logs, or write tracking_plan.yml and product.yml by hand."
        )
    raise InputError(
        f"no event was found in {found.lines} lines ({seen}; read as {read}). Name the format with --source "
        f"({listed(plain_formats(), limit=99)}), or describe the files in {workspace.sources_file} and run init again."
    )


def _write(workspace: Workspace, recognition: Recognition, found: Survey, made: list[Path]) -> TrackingPlan:
    plan_text, product_text = _written(workspace.root.name, found)
    plan = parse_plan(plan_text)
    parse_product(product_text, plan)
    texts = {workspace.product_file: product_text, workspace.plan_file: plan_text}
    (first, *more) = recognition.sources
    # Without sources.yml everything is read as Segment JSON.
    if not workspace.sources_file.exists() and (more or first.format != "segment" or recognition.unknown):
        texts = {workspace.sources_file: recognition.text(), **texts}
    for path, text in texts.items():
        made.append(path)
        write_atomically(path, text)
    return plan


def _written(name: str, found: Survey) -> tuple[str, str]:
    # YAML, not HTML: `quoted` does the quoting.
    templates = Environment(
        loader=PackageLoader("headway_pipelines", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"quoted": quoted, "declared": _declared}
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


def _declared(guess: Guess) -> str:
    keys: dict[str, Any] = {"class": guess.class_, **guess.options}
    return f"{{{', '.join(f'{key}: {quoted(value)}' for key, value in keys.items())}}}"
