"""The queries of an experiment: exposures make units, one pass over events finds what they did, sums follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.engine.sql import Replacement
from headway.experiments.facts import Facts
from headway.experiments.marks import Marks, Window
from headway.experiments.outcome import Outcome

_PACKAGE = "headway.experiments"
#: What is read twice is computed once, and what would fill the memory is not kept: DuckDB cannot tell.
_ONCE = {
    "ev": False,
    "rates": True,
    "exposing": True,
    "units": True,
    "placed": True,
    "marked": False,
    "added": False,
}
VARIABLES = ("y", "x", "c", "d")


@dataclass(frozen=True)
class Compiled:
    """The relations on which every query of an experiment stands.

    Attributes:
        ctes: Query by relation, in order: ev, exposing, units, marked.
        outcomes: What is compared.
        windows: When each counts.
        marks: What events are marked with.
        observed_us: End of the data, excluded.
        before_us: Length of the time before the exposure that is looked at; None: none.
        caps: Quantile at which each outcome's amounts are cut; None: not cut.
        eligible: Test whether an event of ``ev`` makes somebody eligible; None where nothing says so.
    """

    ctes: Mapping[str, str]
    outcomes: Sequence[Outcome]
    windows: Sequence[Window]
    marks: Marks
    observed_us: int
    before_us: int | None
    caps: Sequence[float | None]
    eligible: exp.Expr | None

    def on_top(self, name: str, params: Mapping[str, Replacement]) -> str:
        """Puts a query of this package on top of the relations."""
        return with_inputs(bind(load(_PACKAGE, name), dict(params)), self.ctes, _ONCE)

    def sums(self) -> str:
        """Writes the query of the sums of all outcomes."""
        inputs, amounts = self._amounts()
        summed: list[exp.Expr] = []
        totals: list[exp.Expr] = []
        for place, outcome in enumerate(self.outcomes):
            if outcome.kind not in ("quantile", "time"):
                one, all_of_them = _sums(place, outcome, self.variables(outcome))
                summed, totals = summed + one, totals + all_of_them
        inputs["summed"] = bind(
            load(_PACKAGE, "summed"), {"sums": summed or _nothing(), "amounts": exp.to_table(amounts)}
        )
        text = bind(load(_PACKAGE, "sums"), {"sums": totals or _nothing(True)})
        return with_inputs(text, inputs, {**_ONCE, "per_unit": amounts == "capped"})

    def _alone(self, place: int) -> Compiled:
        return replace(
            self, outcomes=[self.outcomes[place]], windows=[self.windows[place]], caps=[self.caps[place]]
        )

    def assigned(self) -> str:
        """Writes the query of which variant each unit met and what it adds to the first metric, if sums tell that."""
        one = self._alone(0)
        inputs, amounts = one._amounts()
        told = self.outcomes[0].kind in ("proportion", "mean")
        value = exp.column("y0", table="known") if told else exp.cast(exp.null(), "DOUBLE")
        text = bind(load(_PACKAGE, "assigned"), {"value": value, "amounts": exp.to_table(amounts)})
        return with_inputs(text, inputs, {**_ONCE, "per_unit": amounts == "capped"})

    def units(self, place: int) -> str:
        """Writes the query of what each unit adds to one outcome, amounts cut at the cap."""
        outcome, one = self.outcomes[place], self._alone(place)
        inputs, amounts = one._amounts()
        columns = [exp.alias_(exp.column(f"{name}0", table="known"), name) for name in one.variables(outcome)]
        text = bind(load(_PACKAGE, "units_of"), {"columns": columns, "amounts": exp.to_table(amounts)})
        return with_inputs(text, inputs, {**_ONCE, "per_unit": amounts == "capped"})

    def variables(self, outcome: Outcome) -> tuple[str, ...]:
        """Names what a unit adds: y, a denominator x of ratios, and both before the exposure where they are used."""
        after = ("y",) if outcome.kind != "ratio" else ("y", "x")
        if self.before_us is None or outcome.kind in ("quantile", "time") or outcome.numerator.kind == "nps":
            return after
        return after + (("c",) if outcome.kind != "ratio" else ("c", "d"))

    def _amounts(self) -> tuple[dict[str, str], str]:
        """Relations up to what each unit adds, and the name of the last of them."""
        facts = Facts(self.marks, None if self.before_us is None else Window(-self.before_us, 0))
        columns: list[exp.Expr] = []
        for place, outcome in enumerate(self.outcomes):
            if outcome.kind in ("quantile", "time"):
                continue
            window = self.windows[place]
            told = {name: facts.of(outcome, window, name) for name in self.variables(outcome)}
            if outcome.kind == "proportion":
                told["b"] = facts.done_before(outcome)
            if outcome.currency is not None:
                told["l"] = facts.without_rate(outcome, window)
            for name, value in told.items():
                held = exp.cast(value, "DOUBLE")
                known = (
                    held if window.closes is None else exp.Case().when(window.is_over(self.observed_us), held)
                )
                columns.append(exp.alias_(known, f"{name}{place}"))
        inputs = {
            **self.ctes,
            "cells": load(_PACKAGE, "cells"),
            "placed": load(_PACKAGE, "placed"),
            "added": bind(load(_PACKAGE, "added"), {"facts": facts.select() or _nothing()}),
            "per_unit": bind(load(_PACKAGE, "per_unit"), {"columns": columns or _nothing()}),
        }
        caps = {
            f"{name}{place}": cap
            for place, (outcome, cap) in enumerate(zip(self.outcomes, self.caps, strict=True))
            if cap is not None and outcome.kind in ("mean", "ratio")
            for name in self.variables(outcome)
            if name in "yc"
        }
        if not caps:
            return inputs, "per_unit"
        cut = [_cut(column.alias, caps) for column in columns]
        params = {"caps": [_cap(name, cap) for name, cap in caps.items()], "columns": cut}
        inputs["capped"] = bind(load(_PACKAGE, "capped"), params)
        return inputs, "capped"

    def observations(self, place: int) -> str:
        """Writes the query of the single amounts of a quantile."""
        outcome = self.outcomes[place]
        value = self.marks.value(outcome, outcome.of, str(outcome.numerator.value))
        inside = exp.and_(
            exp.not_(value.copy().is_(exp.null())),
            self.windows[place].test(),
            self.windows[place].is_over(self.observed_us),
        )
        return self.on_top("observations", {"value": value, "inside": inside})

    def waiting(self, place: int) -> str:
        """Writes the query of how long units wait."""
        window = self.windows[place]
        inside = exp.and_(self.marks.test(self.outcomes[place].of), window.test())
        closes = self.observed_us if window.closes is None else window.closes
        return self.on_top("waiting", {"inside": inside, "closes": closes, "observed": self.observed_us})

    def daily(self, place: int, days: int) -> str:
        """Writes the query of an outcome by day since exposure."""
        outcome = self.outcomes[place]
        measure = outcome.numerator
        if measure.kind == "sum":
            value = self.marks.value(outcome, outcome.of, str(measure.value), outcome.minus)
            counted: exp.Expr = exp.not_(value.copy().is_(exp.null()))
            value = exp.Sum(this=value)
        else:
            counted = self.marks.test(outcome.of)
            value = exp.Literal.number(1) if measure.kind != "events" else exp.Count(this=exp.Star())
        params: dict[str, Replacement] = {
            "days": days,
            "observed": self.observed_us,
            "value": value,
            "counted": counted,
        }
        return self.on_top("daily", params)

    def funnel(self, variants: Sequence[str], holdout: Sequence[str]) -> str:
        """Writes the query of how exposure events become units."""
        eligible: exp.Expr = exp.null()
        if self.eligible is not None:
            people = exp.Count(this=exp.Distinct(expressions=[exp.column("person")]))
            eligible = exp.select(people).from_("ev").where(self.eligible.copy()).subquery()
        held_out = _named(holdout)
        known = exp.paren(exp.or_(_named(variants), held_out.copy(), exp.column("variant").is_(exp.null())))
        return self.on_top(
            "funnel", {"eligible": eligible, "held_out": held_out, "known": known, "arm": _named(variants)}
        )


def _nothing(total: bool = False) -> list[exp.Expr]:
    """Something to select where there is nothing: a list of columns must not be empty."""
    zero = exp.Literal.number(0)
    return [exp.alias_(exp.Max(this=zero) if total else zero, "nothing")]


def _named(names: Sequence[str]) -> exp.Expr:
    """Whether the variant is one of some, never null."""
    if not names:
        return exp.false()
    among = exp.In(this=exp.column("variant"), expressions=[exp.Literal.string(name) for name in names])
    return exp.Coalesce(this=among, expressions=[exp.false()])


def _cap(name: str, cap: float) -> exp.Expr:
    """The largest amount that counts: a quantile of the amounts that units have, over all variants."""
    some = exp.Nullif(this=exp.column(name, table="per_unit"), expression=exp.Literal.number(0))
    return exp.alias_(exp.func("quantile_disc", some, exp.Literal.number(str(cap))), f"cap_{name}")


def _cut(name: str, caps: Mapping[str, float]) -> exp.Expr:
    column = exp.column(name, table="per_unit")
    if name not in caps:
        return exp.alias_(column, name)
    limit = exp.func("coalesce", exp.column(f"cap_{name}", table="caps"), column.copy())
    return exp.alias_(
        exp.Case().when(exp.not_(column.copy().is_(exp.null())), exp.func("least", column, limit)), name
    )


def _sums(place: int, outcome: Outcome, names: Sequence[str]) -> tuple[list[exp.Expr], list[exp.Expr]]:
    """Sums over the units of a cell, and those over cells."""
    y, zero = exp.column(f"y{place}"), exp.Literal.number(0)
    cells: dict[str, exp.Expr] = {"n": exp.Count(this=y)}
    same: dict[str, str] = {}
    for name in names:
        cells[name] = exp.Sum(this=exp.column(f"{name}{place}"))
    for first, second in combinations_with_replacement(names, 2):
        if outcome.kind == "proportion" and first == second:
            # Who did it adds 1, and 1 squared is 1.
            same[first + second] = first
            continue
        pair = [exp.column(f"{name}{place}") for name in (first, second)]
        cells[first + second] = exp.Sum(this=exp.Mul(this=pair[0], expression=pair[1]))
    if outcome.kind == "proportion":
        cells["b"], same["some"] = exp.Sum(this=exp.column(f"b{place}")), "y"
    else:
        cells["some"] = exp.Count(this=exp.Nullif(this=y.copy(), expression=zero))
    if outcome.currency is not None:
        cells["l"] = exp.Sum(this=exp.column(f"l{place}"))
    if outcome.kind == "mean":
        cells["top"] = exp.Max(this=exp.func("abs", y.copy()))
    totals = []
    for name in (*cells, *same):
        column = exp.column(f"{same.get(name, name)}_{place}")
        kind = "BIGINT" if name in ("n", "some") else "DOUBLE"
        whole = (
            exp.Max(this=column) if name == "top" else exp.func("coalesce", exp.Sum(this=column), zero.copy())
        )
        totals.append(exp.alias_(exp.cast(whole, kind), f"{name}_{place}"))
    return [exp.alias_(value, f"{name}_{place}") for name, value in cells.items()], totals
