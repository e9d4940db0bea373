"""Which events are people's: bots by their user agent, the team's own traffic by declared rules.

Two lists of known bots are asked: ua-parser, which also names the browser, and crawler-user-agents. Of the latter,
libraries that speak HTTP are left out: a team's own servers send its people's events through them. Lists are asked
once per distinct user agent, and what they said is kept from one group of lines to the next.
"""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address

import duckdb
import polars as pl

from headway.engine.sql import literal, load
from headway.models.traffic import TrafficRules
from headway_pipelines.privacy.classes import value_of

_HERE = "headway_pipelines.privacy"
#: Distinct user agents remembered; more are an attack, or a log of something else.
_REMEMBERED = 200_000
_AGENTS = {"agent": pl.String, "mark": pl.String, "browser_family": pl.String}


class Marker:
    """Marks the traffic of one gate.

    Args:
        rules: What the tracking plan declares.
    """

    def __init__(self, rules: TrafficRules) -> None:
        self._rules, self._ranges = rules, rules.internal.ranges()
        self._known: dict[str, tuple[str, str | None]] = {}

    def prepare(self, con: duckdb.DuckDBPyConnection) -> None:
        """Makes `agents` (agent, mark, browser_family) and `internal_addresses` from `judged`.

        Args:
            con: The gate's connection.
        """
        agents = con.sql(load(_HERE, "distinct_agents.sql")).pl()["user_agent"]
        con.register("agents", self.judge(agents).to_arrow())
        internal: list[str] = []
        if self._ranges:
            found = con.execute(
                load(_HERE, "distinct_addresses.sql"), {"candidates": self._candidates()}
            ).fetchall()
            internal = [text for (text,) in found if self._is_internal(text)]
        con.register(
            "internal_addresses", pl.DataFrame({"address": internal}, {"address": pl.String}).to_arrow()
        )

    def judge(self, agents: pl.Series) -> pl.DataFrame:
        """Says of each user agent whose it is.

        Args:
            agents: Distinct user agents.

        Returns:
            Columns ``agent``, ``mark`` (``people``, ``bot`` or ``internal``) and ``browser_family``.
        """
        new = pl.Series([agent for agent in agents if agent not in self._known], dtype=pl.String)
        if len(self._known) + len(new) > _REMEMBERED:
            self._known.clear()
            new = agents
        if len(new):
            listed = _listed(new)
            for agent, bot in zip(new, listed, strict=True):
                spider, family = _parsed(agent)
                self._known[agent] = (self._mark(agent, bot or spider), family)
        rows = [(agent, *self._known[agent]) for agent in agents]
        return pl.DataFrame(rows, _AGENTS, orient="row")

    def expression(self) -> str:
        """SQL of an event's mark, over `judged` joined with `agents` and `internal_addresses`."""
        internal = ["agents.mark = 'internal'"]
        if self._ranges:
            internal.append("internal_addresses.address IS NOT NULL")
        if self._rules.internal.hosts:
            url = value_of("url")
            host = f"lower(regexp_extract({url}, {literal(_URL_HOST)}, 1))"
            internal.append(f"{host} IN {literal(list(self._rules.internal.hosts))}")
        return f"CASE WHEN {' OR '.join(internal)} THEN 'internal' ELSE coalesce(agents.mark, 'people') END"

    def join(self) -> str:
        """How `judged` finds its agents and addresses."""
        joins = ["LEFT JOIN agents ON agents.agent = judged.user_agent"]
        if self._ranges:
            joins.append("LEFT JOIN internal_addresses ON internal_addresses.address = judged.address")
        return " ".join(joins)

    def _mark(self, agent: str, bot: bool) -> str:
        folded = agent.lower()

        def any_of(parts: tuple[str, ...]) -> bool:
            return any(part.lower() in folded for part in parts)

        if any_of(self._rules.internal.user_agents):
            return "internal"
        if any_of(self._rules.people.user_agents):
            return "people"
        return "bot" if bot or any_of(self._rules.bots.user_agents) else "people"

    def _candidates(self) -> str:
        """A pattern that every internal address matches: far fewer are then read one by one."""
        starts = {r"[0-9a-fA-F]*:"}
        for each in self._ranges:
            if each.version == 4:
                first = str(each.network_address).split(".")[0]
                starts.add(rf"{first}\." if each.prefixlen >= 8 else r"[0-9]")
        return f"^({'|'.join(sorted(starts))})"

    def _is_internal(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in each for each in self._ranges if each.version == address.version)


_URL_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([A-Za-z0-9.-]+)"


def _parsed(agent: str) -> tuple[bool, str | None]:
    """Whether ua-parser takes an agent for a spider, and the browser's family."""
    import ua_parser

    # what people type has no use for longer ones, and an endless one would cost time
    result = ua_parser.parse(agent[:1000])
    spider = result.device is not None and result.device.family == "Spider"
    return spider, result.user_agent.family if result.user_agent is not None else None


def _listed(agents: pl.Series) -> pl.Series:
    """Which agents the list of crawlers knows."""
    texts, patterns = _crawlers()
    found = agents.to_frame("agent").select(
        pl.col("agent").str.contains_any(list(texts)) | pl.col("agent").str.contains(patterns)
    )
    return found.to_series()


@cache
def _crawlers() -> tuple[tuple[str, ...], str]:
    """The list of crawlers as plain texts, which are found all at once, and one pattern for the rest."""
    import crawleruseragents

    texts, patterns = [], []
    for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA:
        if "http-library" in entry.get("tags", ()):
            continue
        pattern = entry["pattern"]
        bare = re.sub(r"\\([^\w\s])", "", pattern)
        if re.search(r"[\\.*+?()\[\]{}|^$]", bare):
            patterns.append(f"(?:{pattern})")
        else:
            texts.append(re.sub(r"\\([^\w\s])", r"\1", pattern))
    return tuple(texts), "|".join(patterns)
