"""The queries of an experiment: events are marked once, units follow from exposures, outcomes from one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement

from sqlglot import exp

from headway.arithmetic import parse_arithmetic
from headway.engine import bind, load, with_inputs
from headway.engine.sql import DIALECT, Replacement
from headway.experiments.outcome import Measure, Outcome
from headway.selectors import Selector, as_event, condition

_PACKAGE = "headway.experiments"
VARIABLES = ("y", "x", "c", "d")
PAIRS = tuple("".join(pair) for pair in combinations_with_replacement(VARIABLES, 2))


@dataclass
class Marks:
    """What events are marked with: tests and amounts, each once however many outcomes use it.

    Attributes:
        columns: Properties of the log.
        tests: Conditions by their text.
        values: Amounts by their text.
    """

    columns: Sequence[str]
    tests: dict[str, exp.Expr] = field(default_factory=dict)
    values: dict[str, exp.Expr] = field(default_factory=dict)

    def test(self, selector: Selector) -> exp.Expr:
        """Returns the column that says whether an event matches."""
        return self._column("t", self.tests, condition(selector, self.columns))

    def value(self, outcome: Outcome, of: Selector, text: str, minus: Selector | None = None) -> exp.Expr:
        """Returns the column with what an event adds, null where it adds nothing."""
        amount: exp.Expr = exp.cast(
            parse_arithmetic(text, self.columns, what="value", of="property"), "DOUBLE"
        )
        test = condition(of, self.columns)
        if outcome.negative == "exclude":
            test = exp.and_(test, exp.GTE(this=amount.copy(), expression=exp.Literal.number(0)))
        case = exp.Case().when(test, amount)
        if minus is not None:
            case = case.when(condition(minus, self.columns), exp.Neg(this=exp.Abs(this=amount.copy())))
        return self._column("v", self.values, case)

    def _column(self, letter: str, known: dict[str, exp.Expr], made: exp.Expr) -> exp.Expr:
        key = made.sql(DIALECT)
        known.setdefault(key, made)
        return _of("marked", f"{letter}{list(known).index(key)}")

    def select(self) -> list[exp.Expr]:
        """Returns the columns with their names."""
        named = [exp.alias_(test.copy(), f"t{place}") for place, test in enumerate(self.tests.values())]
        return named + [
            exp.alias_(value.copy(), f"v{place}") for place, value in enumerate(self.values.values())
        ]


@dataclass(frozen=True)
class Window:
    """When an outcome counts, in microseconds after the exposure.

    Attributes:
        opens: Its first instant.
        closes: The instant after its last; None: the end of the data.
    """

    opens: int
    closes: int | None

    def test(self) -> exp.Expr:
        """Builds the test whether a marked event lies in it."""
        return _between(self.opens, self.closes)

    def is_over(self, observed_us: int) -> exp.Expr:
        """Builds the test whether it is over for a unit."""
        if self.closes is None:
            return exp.true()
        end = exp.Add(this=_of("units", "exposed_us"), expression=exp.Literal.number(self.closes))
        return exp.LTE(this=end, expression=exp.Literal.number(observed_us))


def _between(opens: int, closes: int | None) -> exp.Expr:
    us, start = _of("marked", "us"), _of("units", "exposed_us")
    tests: list[exp.Expr] = [exp.GTE(this=us, expression=_shifted(start, opens))]
    if closes is not None:
        tests.append(exp.LT(this=us.copy(), expression=_shifted(start.copy(), closes)))
    return exp.and_(*tests)


def _shifted(start: exp.Expr, by: int) -> exp.Expr:
    if by == 0:
        return start
    kind = exp.Add if by > 0 else exp.Sub
    return exp.Paren(this=kind(this=start, expression=exp.Literal.number(abs(by))))


def _of(table: str, name: str) -> exp.Expr:
    return exp.column(name, table=table)


@dataclass(frozen=True)
class Compiled:
    """The relations on which every query of an experiment stands.

    Attributes:
        ctes: Query by relation, in order: ev, marked, units.
        outcomes: What is compared.
        windows: When each counts.
        marks: What events are marked with.
        observed_us: End of the data, excluded.
        before_us: Length of the time before the exposure that is looked at; None: none.
        caps: Quantile at which each outcome's amounts are cut; None: not cut.
        eligible: Test whether an event makes somebody eligible; None where nothing says so.
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
        return with_inputs(bind(load(_PACKAGE, name), dict(params)), self.ctes)

    def sums(self) -> str:
        """Writes the query of the sums of all outcomes."""
        added, per_unit = self.per_unit_columns()
        caps, capped, sums = [], [], []
        for place, outcome in enumerate(self.outcomes):
            if outcome.kind in ("quantile", "time"):
                continue
            names = self.variables(outcome)
            cap = self.caps[place] if outcome.kind != "proportion" else None
            caps += [_cap(name, place, cap) for name in names]
            capped += [_cut(name, place, cap) for name in names]
            capped.append(exp.alias_(_if_over(place, exp.column(f"b{place}")), f"b{place}"))
            sums += _sums(place, names)
        nothing: list[exp.Expr] = [exp.alias_(exp.Literal.number(0), "nothing")]
        inputs = {
            **self.ctes,
            "added": bind(load(_PACKAGE, "added"), {"columns": added or nothing}),
            "per_unit": bind(load(_PACKAGE, "per_unit"), {"columns": per_unit or nothing}),
        }
        params: dict[str, Replacement] = {
            "caps": caps or nothing,
            "capped": capped or nothing,
            "sums": sums or nothing,
        }
        return _once(with_inputs(bind(load(_PACKAGE, "sums"), params), inputs))

    def variables(self, outcome: Outcome) -> tuple[str, ...]:
        """Names what a unit adds: y, a denominator x of ratios, and both before the exposure where they are used."""
        after = ("y",) if outcome.kind != "ratio" else ("y", "x")
        if self.before_us is None or outcome.kind in ("quantile", "time") or outcome.numerator.kind == "nps":
            return after
        return after + (("c",) if outcome.kind != "ratio" else ("c", "d"))

    def _adds(self, outcome: Outcome, window: Window) -> dict[str, exp.Expr]:
        inside = window.test()
        earlier = _between(-(self.before_us or 0), 0)
        found: dict[str, exp.Expr] = {}
        for name in self.variables(outcome):
            when = inside if name in "yx" else earlier
            found[name] = self._aggregate(outcome, name in "xd", when)
        before = exp.LT(this=_of("marked", "us"), expression=_of("units", "exposed_us"))
        done = _filtered(exp.Count(this=exp.Star()), exp.and_(self.marks.test(outcome.of), before))
        found["b"] = _whether(done)
        return found

    def _aggregate(self, outcome: Outcome, bottom: bool, when: exp.Expr) -> exp.Expr:
        selector = as_event(outcome.per if bottom and outcome.per is not None else outcome.of)
        measure = (
            Measure.parse(outcome.per_measure) if bottom and outcome.per is not None else outcome.numerator
        )
        test = exp.and_(self.marks.test(selector), when.copy())
        times = _filtered(exp.Count(this=exp.Star()), test)
        if measure.kind == "nps":
            value = self.marks.value(outcome, selector, str(measure.value))
            return _promoter(value, exp.and_(exp.not_(value.copy().is_(exp.null())), when.copy()), bottom)
        if measure.kind == "sum":
            minus = None if bottom else outcome.minus
            value = self.marks.value(outcome, selector, str(measure.value), minus)
            return _filtered(exp.Sum(this=value), when.copy())
        if measure.kind == "days":
            return _filtered(exp.Count(this=exp.Distinct(expressions=[_of("marked", "day")])), test)
        if measure.kind == "events":
            return times
        if outcome.also is None or bottom:
            return _whether(times)
        both = exp.and_(self.marks.test(outcome.also), when.copy())
        also = _filtered(exp.Count(this=exp.Star()), both)
        return exp.Mul(this=_whether(times), expression=_whether(also))

    def units(self, place: int) -> str:
        """Writes the query of what each unit adds to one outcome, amounts cut at the cap."""
        outcome, window = self.outcomes[place], self.windows[place]
        one = replace(self, outcomes=[outcome], windows=[window], caps=[self.caps[place]])
        names, cap = self.variables(outcome), self.caps[place]
        columns = []
        for name in names:
            column: exp.Expr = exp.column(f"{name}0")
            if cap is not None and name in "yc" and outcome.kind != "proportion":
                some = exp.and_(
                    exp.column("m0"), exp.NEQ(this=column.copy(), expression=exp.Literal.number(0))
                )
                quantile = exp.func("quantile_disc", column.copy(), exp.Literal.number(str(cap)))
                limit = exp.Window(this=_filtered(quantile, some))
                column = exp.func("least", column, exp.func("coalesce", limit, column.copy()))
            columns.append(exp.alias_(column, name))
        added, per_unit = one.per_unit_columns()
        inputs = {
            **self.ctes,
            "added": bind(load(_PACKAGE, "added"), {"columns": added}),
            "per_unit": bind(load(_PACKAGE, "per_unit"), {"columns": per_unit}),
        }
        text = bind(load(_PACKAGE, "units_of"), {"columns": columns, "over": exp.column("m0")})
        return with_inputs(text, inputs)

    def per_unit_columns(self) -> tuple[list[exp.Expr], list[exp.Expr]]:
        """Returns the columns of `added` and `per_unit`, for all outcomes that sums tell."""
        added, per_unit = [], []
        for place, outcome in enumerate(self.outcomes):
            if outcome.kind in ("quantile", "time"):
                continue
            for name, value in self._adds(outcome, self.windows[place]).items():
                added.append(exp.alias_(value, f"{name}{place}"))
                held = exp.func("coalesce", _of("added", f"{name}{place}"), exp.Literal.number(0))
                per_unit.append(exp.alias_(exp.cast(held, "DOUBLE"), f"{name}{place}"))
            per_unit.append(exp.alias_(self.windows[place].is_over(self.observed_us), f"m{place}"))
        return added, per_unit

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
        person = (
            exp.Case().when(self.eligible.copy(), exp.column("person")) if self.eligible is not None else None
        )
        eligible = exp.null() if person is None else exp.Count(this=exp.Distinct(expressions=[person]))
        held_out = _named(holdout)
        known = exp.paren(exp.or_(_named(variants), held_out.copy(), exp.column("variant").is_(exp.null())))
        return self.on_top(
            "funnel", {"eligible": eligible, "held_out": held_out, "known": known, "arm": _named(variants)}
        )


def _once(text: str) -> str:
    """Has what is read twice be computed once: left to itself, DuckDB computes it for every reader."""
    for name in ("marked", "units", "added", "per_unit"):
        text = text.replace(f'"{name}" AS (', f'"{name}" AS MATERIALIZED (', 1)
    return text


def _named(names: Sequence[str]) -> exp.Expr:
    """Whether the variant is one of some, never null."""
    if not names:
        return exp.false()
    among = exp.In(this=exp.column("variant"), expressions=[exp.Literal.string(name) for name in names])
    return exp.Coalesce(this=among, expressions=[exp.false()])


def _filtered(aggregate: exp.Expr, test: exp.Expr) -> exp.Expr:
    return exp.Filter(this=aggregate, expression=exp.Where(this=test))


def _whether(count: exp.Expr) -> exp.Expr:
    return (
        exp.Case()
        .when(exp.GT(this=count, expression=exp.Literal.number(0)), exp.Literal.number(1))
        .else_(exp.Literal.number(0))
    )


def _promoter(value: exp.Expr, test: exp.Expr, bottom: bool) -> exp.Expr:
    """The last answer as 1, 0 or -1, times 100 points; or whether there is any."""
    if bottom:
        return _whether(_filtered(exp.Count(this=exp.Star()), test))
    last = _filtered(exp.ArgMax(this=value, expression=_of("marked", "us")), test)
    ends = ((exp.GTE, 9, 100), (exp.LTE, 6, -100))
    case = exp.Case()
    for kind, bound, points in ends:
        case = case.when(kind(this=last.copy(), expression=exp.Literal.number(bound)), exp.convert(points))
    return case.else_(exp.Literal.number(0))


def _cap(name: str, place: int, cap: float | None) -> exp.Expr:
    """The largest amount that counts: a quantile of the amounts that units have, over all variants."""
    column = exp.column(f"{name}{place}")
    if cap is None or name not in "yc":
        return exp.alias_(exp.cast(exp.null(), "DOUBLE"), f"cap_{name}{place}")
    some = exp.and_(exp.column(f"m{place}"), exp.NEQ(this=column.copy(), expression=exp.Literal.number(0)))
    quantile = exp.func("quantile_disc", column, exp.Literal.number(str(cap)))
    return exp.alias_(_filtered(quantile, some), f"cap_{name}{place}")


def _cut(name: str, place: int, cap: float | None) -> exp.Expr:
    column, limit = exp.column(f"{name}{place}"), exp.column(f"cap_{name}{place}")
    cut = exp.func("least", column.copy(), exp.func("coalesce", limit.copy(), column.copy()))
    return exp.alias_(_if_over(place, column if cap is None or name not in "yc" else cut), f"{name}{place}")


def _if_over(place: int, value: exp.Expr) -> exp.Expr:
    """Leaves out units whose window is open: sums pass over null, which costs less than a filter for each of them."""
    return exp.Case().when(exp.column(f"m{place}"), value)


def _sums(place: int, names: Sequence[str]) -> list[exp.Expr]:
    y = exp.column(f"y{place}")
    found = [exp.alias_(exp.Count(this=y), f"n_{place}")]

    def total(value: exp.Expr, name: str) -> None:
        held = exp.func("coalesce", exp.Sum(this=value), exp.Literal.number(0))
        found.append(exp.alias_(exp.cast(held, "DOUBLE"), f"{name}_{place}"))

    for name in names:
        total(exp.column(f"{name}{place}"), name)
    for first, second in combinations_with_replacement(names, 2):
        total(
            exp.Mul(this=exp.column(f"{first}{place}"), expression=exp.column(f"{second}{place}")),
            first + second,
        )
    total(exp.column(f"b{place}"), "b")
    zero = exp.Literal.number(0)
    found.append(exp.alias_(exp.Count(this=exp.Nullif(this=y.copy(), expression=zero)), f"some_{place}"))
    found.append(exp.alias_(exp.Max(this=exp.func("abs", y.copy())), f"top_{place}"))
    return found
