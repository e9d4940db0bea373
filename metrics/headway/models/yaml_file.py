"""The one loader of every YAML file in a workspace.

A file is composed into YAML nodes (which know their lines), turned into plain Python values and validated by
a Pydantic model. Whatever is wrong, the caller gets one ``DefinitionError`` that lists every problem as
``file.yml:LINE: path: what is wrong; what is allowed``. Values are echoed: these files hold no user data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from headway.errors import DefinitionError
from headway.models.explain import explain

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

# An alias can be used many times; this bounds what a small file can expand to.
_MAX_NODES = 200_000

# YAML 1.2 dropped merge keys and every tool kept them: what is the same in twelve metrics should be written once.
_MERGE = "<<"


class Definition(BaseModel):
    """Base of every model read from a definition file: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a definition file.

    Attributes:
        location: Keys and list positions from the top of the file to the place.
        message: What is wrong and what is allowed.
        line: Line to show; None takes the line of the location.
    """

    location: Location
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, with the line of every key and list item.

    Attributes:
        name: File name shown in messages, without its folder.
        data: Mappings, lists and scalars.
        lines: 1-based line by location; the empty location is the top of the file.
        files: File by location, for what other files added: it speaks of everything below.
    """

    name: str
    data: Any
    lines: Mapping[Location, int]
    files: Mapping[Location, str] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """Returns the line of a location, or of its nearest parent that the file contains."""
        while location not in self.lines:
            location = location[:-1]
        return self.lines[location]

    def error(self, problems: Iterable[Problem]) -> DefinitionError:
        """Builds one error from all problems, in file order."""
        lines = []
        for problem in problems:
            path = ".".join(str(part) for part in problem.location)
            line = problem.line or self.line(problem.location)
            file = self.file(problem.location)
            at = (list(self.files.values()).index(file) if file != self.name else -1, line)
            lines.append((at, f"{file}:{line}: {path + ': ' if path else ''}{problem.message}"))
        return DefinitionError("\n".join(text for _, text in sorted(lines, key=lambda each: each[0])))

    def file(self, location: Location) -> str:
        """Returns the name of the file that holds a location."""
        while location:
            if location in self.files:
                return self.files[location]
            location = location[:-1]
        return self.name


@dataclass
class _Reader:
    """Walks YAML nodes once, collecting lines and problems."""

    constructor: Any
    lines: dict[Location, int] = field(default_factory=lambda: {(): 1})
    problems: list[Problem] = field(default_factory=list)
    open: list[Node] = field(default_factory=list)
    seen: int = 0

    def value(self, node: Node, at: Location) -> Any:
        self.seen += 1
        if self.seen > _MAX_NODES or node in self.open:
            self.problems.append(Problem(at, "this alias repeats too much or contains itself; write it out"))
            return None
        self.open.append(node)
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, at)
            if isinstance(node, SequenceNode):
                return self._sequence(node, at)
            return self._scalar(node, at)
        finally:
            self.open.pop()

    def _mapping(self, node: MappingNode, at: Location) -> dict[str, Any]:
        result: dict[str, Any] = {}
        given: list[Node] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if not isinstance(key, str) or not key:
                self.problems.append(Problem(at, "a key must be text", line))
                continue
            if key == _MERGE and key_node.style is None:
                given += value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                continue
            if key in result:
                first = self.lines[(*at, key)]
                self.problems.append(
                    Problem((*at, key), f"written twice; the first is on line {first}", line)
                )
                continue
            self.lines[(*at, key)] = line
            result[key] = self.value(value_node, (*at, key))
        for other in given:
            self._merge(other, at, node, result)
        return result

    def _merge(self, given: Node, at: Location, into: MappingNode, result: dict[str, Any]) -> None:
        """Takes over what another mapping says and this one does not."""
        if not isinstance(given, MappingNode):
            line = into.start_mark.line + 1
            self.problems.append(
                Problem(at, f"{_MERGE} takes a mapping or a list of mappings, as in <<: *name", line)
            )
            return
        apart = _Reader(self.constructor, open=self.open, seen=self.seen)
        said = apart.value(given, at) or {}
        self.seen = apart.seen
        self.problems += apart.problems
        taken = [key for key in said if key not in result]
        result |= {key: said[key] for key in taken}
        known = {(*at, key) for key in taken}
        self.lines |= {place: line for place, line in apart.lines.items() if place[: len(at) + 1] in known}

    def _sequence(self, node: SequenceNode, at: Location) -> list[Any]:
        result = []
        for position, item in enumerate(node.value):
            self.lines[(*at, position)] = item.start_mark.line + 1
            result.append(self.value(item, (*at, position)))
        return result

    def _scalar(self, node: Node, at: Location) -> Any:
        try:
            return self.constructor.construct_object(node, deep=True)
        except ValueError:
            # Looks like a date but is none: the model says better what was expected.
            return node.value
        except YAMLError:
            self.problems.append(Problem(at, "this value or tag cannot be read; write it in quotes"))
            return None


@lru_cache(maxsize=64)
def parse_document(text: str, name: str) -> Document:
    r"""Reads YAML text (version 1.2: ``yes`` and ``no`` are text) into plain values with their lines.

    The same text is parsed once: a run reads its definitions at every step. Nobody may change what is returned.

    Args:
        text: The YAML text.
        name: File name to show in messages.

    Returns:
        The document.

    Raises:
        DefinitionError: The text is not YAML, is empty, or repeats a key.

    Examples:
        >>> document = parse_document("name: Lectern\nactivity:\n  - Signed Up\n", "product.yml")
        >>> document.data, document.line(("activity", 0))
        ({'name': 'Lectern', 'activity': ['Signed Up']}, 3)
        >>> parse_document("a: 1\na: 2", "product.yml")
        Traceback (most recent call last):
        headway.errors.DefinitionError: product.yml:2: a: written twice; the first is on line 1
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        said = " ".join(part for part in (error.problem, error.context) if part)
        raise DefinitionError(f"{name}:{line}: this is not valid YAML: {said}") from None
    except YAMLError as error:
        said = " ".join(str(error).split())
        raise DefinitionError(f"{name}:1: this is not valid YAML: {said}") from None
    if node is None:
        raise DefinitionError(f"{name}:1: the file is empty")
    reader = _Reader(yaml.constructor)
    data = reader.value(node, ())
    document = Document(name, data, reader.lines)
    if reader.problems:
        raise document.error(reader.problems)
    return document


def joined(document: Document, key: str, others: Iterable[Document]) -> Document:
    r"""Adds what other files say below one key of a document.

    Args:
        document: The document.
        key: The key, a mapping in the document or missing there.
        others: Documents that are mappings of the same kind as the one below the key.

    Returns:
        One document, in which every problem is still told with its own file and line.

    Raises:
        DefinitionError: Another file is no mapping, or repeats a key.

    Examples:
        >>> product = parse_document("name: Lectern\n", "product.yml")
        >>> more = parse_document("# growth\nnew_people: {kind: new_people}\n", "metrics/growth.yml")
        >>> whole = joined(product, "metrics", [more])
        >>> whole.data["metrics"], whole.file(("metrics", "new_people")), whole.line(("metrics", "new_people"))
        ({'new_people': {'kind': 'new_people'}}, 'metrics/growth.yml', 2)
    """
    for other in others:
        if not isinstance(other.data, dict):
            raise other.error([Problem((), f"must be a mapping, as below {key} in {document.name}")])
        below = document.data.get(key) if isinstance(document.data, dict) else None
        below = below if isinstance(below, dict) else {}
        if repeated := [name for name in other.data if name in below]:
            raise other.error(
                Problem((name,), f"is also defined in {document.file((key, name))}; give one another name")
                for name in repeated
            )
        document = Document(
            document.name,
            {**document.data, key: {**below, **other.data}},
            {**document.lines, **{(key, *at): line for at, line in other.lines.items() if at}},
            {**document.files, **{(key, name): other.name for name in other.data}},
        )
    return document


def validate(
    document: Document,
    model: type[Model],
    check: Callable[[Model], Iterable[Problem]] | None = None,
) -> Model:
    """Turns a document into a model, or lists everything that is wrong with it.

    Args:
        document: What ``parse_document`` returned.
        model: The Pydantic model of the whole file.
        check: Cross-checks that need the whole model; they run once its shape is right.

    Returns:
        The model.

    Raises:
        DefinitionError: One line per problem, in file order.
    """
    try:
        result = model.model_validate(document.data)
    except ValidationError as error:
        problems = [Problem(*explain(document.data, model, one)) for one in error.errors(include_url=False)]
        raise document.error(problems) from None
    problems = list(check(result)) if check is not None else []
    if problems:
        raise document.error(problems)
    return result


def read_text(path: str | Path) -> tuple[str, str]:
    """Reads a definition file.

    Args:
        path: The file.

    Returns:
        Its text and the name to show in messages.

    Raises:
        DefinitionError: The file is missing or is not UTF-8 text.
    """
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8-sig"), path.name
    except FileNotFoundError:
        raise DefinitionError(
            f"{path.name}: there is no such file in {path.parent.name or 'this folder'}; "
            "'headway init' writes a first one"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path.name}: cannot be read as UTF-8 text ({type(error).__name__})") from None
