"""What events are marked with before anything is counted, and when they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from headway.arithmetic import parse_arithmetic
from headway.engine.sql import DIALECT
from headway.errors import InputError
from headway.experiments.outcome import Outcome
from headway.selectors import Selector, condition


@dataclass
class Marks:
    """What events are marked with: tests and amounts, each once however many outcomes use it.

    Attributes:
        columns: Properties of the log.
        currency: What amounts are turned into that carry a currency of their own.
        tests: Conditions by their text.
        values: Amounts by their text.
        reads: What conditions and amounts read of events.
    """

    columns: Sequence[str]
    currency: str | None = None
    tests: dict[str, exp.Expr] = field(default_factory=dict)
    values: dict[str, exp.Expr] = field(default_factory=dict)
    reads: list[exp.Expr] = field(default_factory=list)

    def test(self, selector: Selector) -> exp.Expr:
        """Returns the column that says whether an event matches."""
        test = condition(selector, self.columns)
        self.reads.append(test)
        return self._column("t", self.tests, test)

    def value(self, outcome: Outcome, of: Selector, text: str, minus: Selector | None = None) -> exp.Expr:
        """Returns the column with what an event adds, null where it adds nothing."""
        amount: exp.Expr = exp.cast(
            parse_arithmetic(text, self.columns, what="value", of="property"), "DOUBLE"
        )
        test = condition(of, self.columns)
        self.reads += [amount, test]
        if outcome.negative == "exclude":
            test = exp.and_(test, exp.GTE(this=amount.copy(), expression=exp.Literal.number(0)))
        if outcome.currency is not None:
            amount = exp.Mul(this=amount, expression=self._rate(outcome.currency))
        case = exp.Case().when(test, amount)
        if minus is not None:
            taken_off = condition(minus, self.columns)
            self.reads.append(taken_off)
            case = case.when(taken_off, exp.Neg(this=exp.Abs(this=amount.copy())))
        return self._column("v", self.values, case)

    def without_rate(self, outcome: Outcome) -> exp.Expr:
        """Returns the column that says whether an event has an amount that nobody can turn into the one currency."""
        assert outcome.currency is not None
        text = str(outcome.numerator.value)
        amount = parse_arithmetic(text, self.columns, what="value", of="property")
        counts = [condition(each, self.columns) for each in (outcome.of, outcome.minus) if each is not None]
        unknown = self._rate(outcome.currency).is_(exp.null())
        return self._column(
            "t", self.tests, exp.and_(exp.or_(*counts), exp.not_(amount.is_(exp.null())), unknown)
        )

    def _rate(self, name: str) -> exp.Expr:
        """What one of an event's currency is worth on its day: null where no rate is known."""
        if self.currency is None:
            raise InputError("amounts with a currency need to know into which one they are turned: currency=")
        if name not in self.columns:
            raise InputError.unknown("property", name, self.columns)
        own = exp.column(name, quoted=True)
        self.reads.append(own)
        home = exp.Literal.string(self.currency)
        known = exp.and_(
            column_of("rates", "currency").eq(own.copy()),
            column_of("rates", "day").eq(column_of("ev", "day")),
        )
        rate = exp.select(exp.Max(this=column_of("rates", "rate"))).from_("rates").where(known).subquery()
        same = exp.func("coalesce", own.copy(), home.copy()).eq(home)
        return exp.Paren(this=exp.Case().when(same, exp.Literal.number(1)).else_(rate))

    def _column(self, letter: str, known: dict[str, exp.Expr], made: exp.Expr) -> exp.Expr:
        key = made.sql(DIALECT)
        known.setdefault(key, made)
        return column_of("marked", f"{letter}{list(known).index(key)}")

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
        end = exp.Add(this=column_of("units", "exposed_us"), expression=exp.Literal.number(self.closes))
        return exp.LTE(this=end, expression=exp.Literal.number(observed_us))


def _between(opens: int, closes: int | None) -> exp.Expr:
    us, start = column_of("marked", "us"), column_of("units", "exposed_us")
    tests: list[exp.Expr] = [exp.GTE(this=us, expression=shifted(start, opens))]
    if closes is not None:
        tests.append(exp.LT(this=us.copy(), expression=shifted(start.copy(), closes)))
    return exp.and_(*tests)


def shifted(start: exp.Expr, by: int) -> exp.Expr:
    """Moves an instant by so many microseconds."""
    if by == 0:
        return start
    kind = exp.Add if by > 0 else exp.Sub
    return exp.Paren(this=kind(this=start, expression=exp.Literal.number(abs(by))))


def column_of(table: str, name: str) -> exp.Expr:
    """Names a column of a relation."""
    return exp.column(name, table=table)
