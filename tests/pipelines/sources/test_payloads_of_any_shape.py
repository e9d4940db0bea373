"""JSON of any shape where the formats look for something: every line is accounted for and nothing raises."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from headway_pipelines.sources.rudder import rudder
from headway_pipelines.sources.snowplow import COLUMNS, snowplow
from headway_pipelines.sources.wire.plausible import plausible_wire
from headway_pipelines.sources.wire.rudder import rudder_wire
from headway_pipelines.sources.wire.snowplow import snowplow_wire

Run = Callable[..., Any]

SOURCES = {s.format: s for s in (snowplow(), snowplow_wire(), rudder(), rudder_wire(), plausible_wire())}
LINES = 1_500
WORDS = (
    *("", "data", "schema", "iglu:com.example/web_page/jsonschema/1-0-0", "iglu:a/b", "e", "id", "a b"),
    *("ÿ\u2028", "\x00"),
)
LEAVES = (
    None,
    True,
    False,
    0,
    -1,
    1e300,
    2**70,
    "2026-03-02T09:00:00Z",
    "9" * 40,
    "pv",
    "ue",
    "track",
    "page",
    *WORDS,
)


@dataclass
class Monkey:
    """Writes lines that look a little like those of a format, with anything at any place."""

    random: Random

    def anything(self, depth: int = 3) -> Any:
        kind = self.random.random() if depth else 0
        if kind < 0.5:
            return self.random.choice(LEAVES)
        inner = [self.anything(depth - 1) for _ in range(self.random.randrange(4))]
        return inner if kind < 0.7 else {self.random.choice(WORDS): each for each in inner}

    def some(self, **choices: Callable[[], Any]) -> dict[str, Any]:
        """Each of the names or not, with what is meant for it or with anything."""
        kept = [name for name in choices if self.random.random() < 0.7]
        return {name: choices[name]() if self.random.random() < 0.8 else self.anything() for name in kept}

    def described(self) -> str:
        envelope = {"schema": "iglu:a/b/jsonschema/1", "data": self.anything()}
        contexts = {"data": [self.some(schema=lambda: WORDS[3], data=self.anything) for _ in range(3)]}
        text = json.dumps(self.random.choice([envelope, contexts, {"data": envelope}, self.anything()]))
        return text[: self.random.choice([len(text), len(text), 5])]

    def encoded(self) -> str:
        return base64.urlsafe_b64encode(self.described().encode()).decode()[self.random.choice([0, 0, 1]) :]

    def request(self, body: Callable[[], Any]) -> str:
        made = self.some(
            received_at=lambda: LEAVES[7], responded=lambda: 200, headers=dict, query=self.hit, body=body
        )
        return json.dumps(made)

    def hit(self) -> dict[str, Any]:
        return {"e": self.random.choice(["pv", "ue", "se", 7])} | self.some(
            ue_px=self.encoded,
            ue_pr=self.described,
            cx=self.encoded,
            co=self.described,
            dtm=self.anything,
            uid=str,
        )

    def call(self) -> dict[str, Any]:
        return {"type": self.random.choice(["track", "identify", "group", 7])} | self.some(
            properties=self.named,
            traits=self.named,
            context=self.anything,
            timestamp=self.anything,
            event=str,
        )

    def named(self) -> dict[str, Any]:
        return {"a": self.anything()}

    def snowplow(self) -> str:
        parts = self.some(
            unstruct_event=self.described,
            contexts=self.described,
            derived_contexts=self.described,
            true_tstamp=str,
        )
        given = {"event": "unstruct"} | parts
        return "\t".join(" ".join(str(given.get(name, "")).split()) for name in COLUMNS)

    def snowplow_wire(self) -> str:
        return self.request(lambda: {"data": [self.hit(), self.hit(), self.anything()]})

    def rudder(self) -> str:
        return json.dumps(self.call())

    def rudder_wire(self) -> str:
        return self.request(
            lambda: self.random.choice([self.call(), {"batch": [self.call(), self.anything()]}])
        )

    def plausible_wire(self) -> str:
        return self.request(
            lambda: self.some(n=str, p=self.anything, u=self.anything) | {"$": self.anything()}
        )


@pytest.mark.parametrize("name", SOURCES)
def test_every_line_is_accounted_for(tmp_path: Path, shape: Run, name: str) -> None:
    written = [getattr(Monkey(Random(number)), name)() for number in range(LINES)]
    path = tmp_path / "lines"
    path.write_text("\n".join(written) + "\n", encoding="utf-8")
    con = shape(path, SOURCES[name])
    found = con.execute("SELECT DISTINCT line FROM shape ORDER BY 1").fetchall()
    assert [line for (line,) in found] == list(range(1, LINES + 1))
    outcomes = dict(con.execute("SELECT outcome, count(*) FROM shape GROUP BY 1").fetchall())
    assert None not in outcomes and outcomes["event"] > 40 and len(outcomes) > 2, outcomes
