"""What events are marked with before anything is counted, and when they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from headway.arithmetic import parse_arithmetic
from headway.engine.sql import DIALECT
from headway.experiments.outcome import Outcome
from headway.selectors import Selector, condition


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
