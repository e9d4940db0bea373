"""Access logs of web servers: common and combined log format, as Apache and nginx write them."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import StrictStr, field_validator
from sqlglot import exp

from headway.engine import bind, load
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Source

#: Address, two names, time, request, status, size; the SELECT is stricter, this only has to tell logs from other text.
_LINE = re.compile(
    r"\S+ .{3,200}? \[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\] \"(?:[^\"\\]|\\.)*\" \d{3} (?:\d+|-)"
    r"(?P<combined> \"(?:[^\"\\]|\\.)*\" \")?"
)
#: So large a part of the first lines must be requests.
_MOST = 0.8


def access_log(
    name: str = "site",
    files: tuple[str, ...] = ("**/*",),
    site: str | None = None,
    paths: tuple[str, ...] = (),
) -> Source:
    """Describes access logs. Every request becomes the event ``Page Requested``.

    Its properties are `method`, `path` (without query), `status`, `bytes`, `referrer`, `user_agent`; where the site is
    given, `url`; and where `paths` are given, `path_template`: the first of them that fits, so that ids in paths need
    not become values (``/course/7/lesson/2`` is ``/course/*/lesson/*``). A path that fits none has no template.

    The actor is a device for one UTC day: address and user agent together, hashed with the workspace's key at the gate.
    Who is behind it on the next day is not known, so retention cannot be asked of this source.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        site: Scheme and host of the served site, for example ``https://example.com``.
        paths: Templates of paths; ``*`` stands for one part between slashes.

    Returns:
        The source.

    Examples:
        >>> access_log(files=("nginx/*.log*",)).name
        'site'
    """
    text = bind(
        load("headway_pipelines.sources", "access_log.sql"), {"site": site, "path_template": _template(paths)}
    )
    return Source(name, "access_log", text, files=files)


def _template(paths: tuple[str, ...]) -> exp.Expr:
    """SQL of the template a path fits, NULL where it fits none."""
    if not paths:
        return exp.null()
    found = exp.Case()
    for path in paths:
        pattern = "[^/]+".join(map(re.escape, path.removesuffix("/").split("*"))) + "/?"
        fits = exp.func("regexp_full_match", exp.column("path", table="r"), exp.convert(pattern))
        found = found.when(fits, exp.convert(path), copy=False)
    return found


class AccessLogSource(FileSet):
    """Access logs.

    Attributes:
        site: Scheme and host of the served site; with it every event carries its `url`.
        paths: Templates of paths; with them every event carries the `path_template` it fits.
    """

    format: Literal["access_log"]
    site: StrictStr | None = None
    paths: tuple[StrictStr, ...] = ()

    @field_validator("site")
    @classmethod
    def _site_is_an_origin(cls, site: str | None) -> str | None:
        if site is not None and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?", site):
            raise ValueError(
                f"{site!r} is not a site; write scheme and host only, for example https://example.com"
            )
        return site

    @field_validator("paths")
    @classmethod
    def _paths_are_templates(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            parts = path.split("/")
            if (
                parts[0]
                or len(parts) < 2
                or set(path) & set("?# ")
                or any("*" in p and p != "*" for p in parts)
            ):
                raise ValueError(
                    f"{path!r} is not a template of paths; start with / and write * for a whole part, as in /p/*"
                )
        return paths

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return access_log(name, self.files, self.site, self.paths)


def recognise(sample: Sample) -> str | None:
    """Says why a sample is an access log, None where it is not.

    Examples:
        >>> line = '198.51.100.7 - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"'
        >>> recognise(Sample("access.log", (line,)))
        'web server requests in combined log format'
    """
    found = [match for line in sample.lines if (match := _LINE.match(line))]
    if not found or len(found) < _MOST * len(sample.lines):
        return None
    kind = "combined" if any(match["combined"] for match in found) else "common"
    return f"web server requests in {kind} log format"
