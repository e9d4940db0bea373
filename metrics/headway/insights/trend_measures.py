"""What a trend can measure: the words for it, the SQL for it, and the value where nothing happened."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from headway.engine.sql import DIALECT
from headway.errors import InputError
from headway.log import EventLog

COUNTS = ("total", "people", "first_time")
_OF_NUMBERS = ("sum", "mean", "min", "max", "median")
_OF_PEOPLE = ("mean", "min", "max", "median")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,6})?)")
# Sums of whole numbers and decimals are exact: DuckDB adds them in a wider type, and one rounding follows. Sums of
# floating-point numbers depend on the order of parallel work in their last digits.
_SQL = {
    "total": "CAST(COUNT(*) AS BIGINT)",
    "people": "CAST(COUNT(DISTINCT person) AS BIGINT)",
    "first_time": "CAST(COUNT(*) AS BIGINT)",
    "sum": "CAST(SUM(amount) AS DOUBLE)",
    "min": "CAST(MIN(amount) AS DOUBLE)",
    "max": "CAST(MAX(amount) AS DOUBLE)",
    "mean": "favg(CAST(amount AS DOUBLE))",
    "median": "quantile_cont(CAST(amount AS DOUBLE), 0.5)",
}
_WORDS = {"mean": "Mean", "min": "Smallest", "max": "Largest", "sum": "Sum", "median": "Median"}
_EXACT = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "DECIMAL",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
}
# Their sums can leave the widest type, which would be an error, so they are added as floating-point numbers.
_FLOATING = {"FLOAT", "DOUBLE", "HUGEINT", "UHUGEINT"}
_LARGEST = exp.Literal.number("1.7976931348623157e308")


@dataclass(frozen=True)
class Measure:
    """A measure, read from its text.

    Attributes:
        kind: What is done: ``"total"``, ``"people"``, ``"first_time"``, ``"sum"``, ``"mean"``, … or ``"p90"``.
        amount: The property it is done with, or None.
        per_person: Whether it is done with the number of events of each person.
    """

    kind: str
    amount: str | None = None
    per_person: bool = False

    @classmethod
    def parse(cls, text: str) -> Measure:
        """Reads a measure.

        Args:
            text: Such as ``"total"``, ``"sum:amount"``, ``"p99.5:amount"`` or ``"per_person:mean"``.

        Returns:
            The measure.

        Raises:
            InputError: There is no such measure.

        Examples:
            >>> Measure.parse("p90:amount")
            Measure(kind='p90', amount='amount', per_person=False)
            >>> Measure.parse("per_person:max").per_person
            True
        """
        kind, colon, rest = str(text).partition(":")
        if not colon and kind in COUNTS:
            return cls(kind)
        if kind == "per_person" and (rest in _OF_PEOPLE or _share(rest) is not None):
            return cls(rest, per_person=True)
        if rest and (kind in _OF_NUMBERS or _share(kind) is not None):
            return cls(kind, amount=rest)
        known = [
            *COUNTS,
            *(f"{name}:property" for name in (*_OF_NUMBERS, "p90")),
            *(f"per_person:{name}" for name in (*_OF_PEOPLE, "p90")),
        ]
        raise InputError.unknown("measure", str(text), known)

    @property
    def none(self) -> int | None:
        """The value where nothing happened: 0 for counts and sums, nothing for the rest."""
        return 0 if self.kind in (*COUNTS, "sum") else None

    @property
    def adds_up(self) -> bool:
        """Whether there is a running total of it."""
        return self.none == 0

    def aggregate(self) -> exp.Expr:
        """Builds the aggregate over ``matched``.

        Returns:
            A SQLGlot expression.
        """
        share = _share(self.kind)
        text = _SQL[self.kind] if share is None else f"quantile_cont(CAST(amount AS DOUBLE), {share!r})"
        return sqlglot.parse_one(text, read=DIALECT)

    def number(self, log: EventLog) -> exp.Expr:
        """Builds the number of an event that is measured.

        Args:
            log: The log asked.

        Returns:
            A SQLGlot expression, null where an event has none.

        Raises:
            InputError: The property is unknown or holds no numbers.
        """
        if self.amount is None:
            return exp.cast(exp.null(), "DOUBLE")
        if self.amount not in log.properties:
            raise InputError.unknown("property", self.amount, log.properties)
        kind = re.sub(r"\(.*\)$", "", log.columns[self.amount])
        column = exp.column(self.amount, quoted=True)
        if kind in _EXACT:
            return column
        if kind not in _FLOATING:
            raise InputError(
                f"property {self.amount!r} is {log.columns[self.amount]}; {self.kind} needs numbers"
            )
        # A value that is not finite is no value; the comparison says so on every engine.
        number = exp.cast(column, "DOUBLE")
        finite = exp.Between(this=number, low=exp.Neg(this=_LARGEST.copy()), high=_LARGEST.copy())
        return exp.Case().when(finite, number.copy())

    def words(self, label: str, window: int | None = None) -> str:
        """Says what is measured.

        Args:
            label: The events' label.
            window: Length of the window of days, where people are counted in one.

        Returns:
            A phrase that begins a sentence.

        Examples:
            >>> Measure.parse("p90:amount").words("Payment")
            '90th percentile of amount over Payment'
        """
        share = _share(self.kind)
        word = _WORDS.get(self.kind, "") if share is None else f"{_ordinal(self.kind[1:])} percentile"
        if self.per_person:
            return f"{word} number of {label} per person with any"
        if self.amount is not None:
            return f"{word} of {self.amount} over {label}"
        if self.kind == "first_time":
            return f"People with {label} for the first time ever"
        trailing = f" in the {window} local days ending with it" if window else ""
        return f"People with {label}{trailing}" if self.kind == "people" else f"Number of {label}"


def _share(kind: str) -> float | None:
    found = _PERCENTILE.fullmatch(kind)
    share = float(found[1]) if found else 0.0
    return share / 100 if share else None


def _ordinal(number: str) -> str:
    ending = {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return number + ("th" if number in ("11", "12", "13") or "." in number else ending)
