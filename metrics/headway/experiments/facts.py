"""What one pass over events finds out of each unit, shared by all outcomes that ask the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp, parse_one

from headway.engine.sql import DIALECT
from headway.experiments.marks import Marks, Window, column_of, shifted
from headway.experiments.outcome import Measure, Outcome
from headway.selectors import Selector, as_event

#: Days that a set of days kept in the bits of one number may span; longer times are counted one by one.
DAYS_IN_BITS = 58
_DAY_US = 86_400_000_000
_ONE, _ZERO = exp.Literal.number(1), exp.Literal.number(0)


@dataclass
class Facts:
    """Aggregates over a unit's events, each once however many outcomes read it.

    Whether a unit did something in a window is told by when it did it first after the window's start, and last before
    its exposure: windows that open together share that, and so do metrics of the same events.

    Attributes:
        marks: What events are marked with.
        before: The time before the exposure that is looked at; None: none.
        found: Aggregates by their text.
    """

    marks: Marks
    before: Window | None
    found: dict[str, exp.Expr] = field(default_factory=dict)

    def _fact(self, aggregate: exp.Expr) -> exp.Expr:
        key = aggregate.sql(DIALECT)
        self.found.setdefault(key, aggregate)
        return exp.column(f"f{list(self.found).index(key)}")

    def select(self) -> list[exp.Expr]:
        """Returns the aggregates with their names."""
        return [exp.alias_(made.copy(), f"f{place}") for place, made in enumerate(self.found.values())]

    def of(self, outcome: Outcome, window: Window, name: str) -> exp.Expr:
        """Builds what a unit adds to an outcome.

        Args:
            outcome: The outcome.
            window: Its window after the exposure.
            name: ``y``: in the window; ``x``: its denominator; ``c`` and ``d``: both before the exposure.

        Returns:
            An expression over the facts, a number from the unit's events.
        """
        earlier = name in "cd"
        when = self.before if earlier else window
        assert when is not None
        bottom = name in "xd" and outcome.per is not None
        selector = as_event(outcome.per if bottom and outcome.per is not None else outcome.of)
        measure = Measure.parse(outcome.per_measure) if bottom else outcome.numerator
        if measure.kind == "nps":
            return self._promoter(outcome, selector, str(measure.value), when, name in "xd")
        if measure.kind == "sum":
            minus = None if bottom else outcome.minus
            value = self.marks.value(outcome, selector, str(measure.value), minus)
            total = self._fact(exp.Sum(this=exp.Case().when(when.test(), value)))
            return exp.func("coalesce", total, _ZERO.copy())
        test = self.marks.test(selector)
        if measure.kind == "days":
            return self._days(test, when)
        if measure.kind == "events":
            return self._fact(exp.Count(this=exp.Case().when(exp.and_(test, when.test()), _ONE.copy())))
        did = self._chain(outcome, when) if outcome.via and not bottom else self._did(test, when, earlier)
        if outcome.also is not None and not bottom:
            did = exp.and_(did, self._did(self.marks.test(outcome.also), when, earlier))
        return exp.Case().when(did, _ONE.copy()).else_(_ZERO.copy())

    def done_before(self, outcome: Outcome) -> exp.Expr:
        """Builds whether a unit had done it at any time before its exposure."""
        return exp.not_(self._last(self.marks.test(outcome.of)).is_(exp.null()))

    def without_rate(self, outcome: Outcome, window: Window) -> exp.Expr:
        """Builds how many amounts of a unit are left out, because no rate of their currency is known."""
        unknown = exp.and_(self.marks.without_rate(outcome), window.test())
        return self._fact(exp.Count(this=exp.Case().when(unknown, _ONE.copy())))

    def _chain(self, outcome: Outcome, when: Window) -> exp.Expr:
        """Whether a unit took all steps in order: the earliest event that is the next step is taken for it."""
        tests = [self.marks.test(each) for each in (*outcome.via, outcome.of)]
        us = column_of("marked", "us")

        def numbered(places: Sequence[int], points: Sequence[int]) -> exp.Expr:
            case = exp.Case()
            for place in places:
                case = case.when(tests[place].copy(), exp.Literal.number(points[place]))
            return case.else_(_ZERO.copy())

        steps = range(len(tests))
        bits: exp.Expr = numbered([0], [1])
        for place in steps[1:]:
            bits = exp.Add(this=bits, expression=numbered([place], [1 << each for each in steps]))
        # At one instant any order counts: what can only be an early step comes first.
        order = exp.Order(expressions=[us, numbered(steps, steps), numbered(steps[::-1], steps)])
        listed = exp.ArrayAgg(this=exp.Order(this=bits, expressions=order.expressions))
        inside = exp.and_(exp.or_(*(test.copy() for test in tests)), when.test())
        taken = self._fact(exp.Filter(this=listed, expression=exp.Where(this=inside)))
        walked = parse_one(
            f"list_reduce({taken.sql(DIALECT)}, LAMBDA a, m : a + ((m >> a) & 1), 0)", dialect=DIALECT
        )
        return exp.func("coalesce", walked, _ZERO.copy()).eq(exp.Literal.number(len(tests)))

    def _did(self, test: exp.Expr, when: Window, earlier: bool) -> exp.Expr:
        if earlier:
            last = self._last(test)
            return exp.GTE(this=last, expression=shifted(column_of("units", "exposed_us"), when.opens))
        inside = exp.and_(test, Window(when.opens, None).test())
        first = self._fact(exp.Min(this=exp.Case().when(inside, column_of("marked", "us"))))
        if when.closes is None:
            return exp.not_(first.is_(exp.null()))
        return exp.LT(this=first, expression=shifted(column_of("units", "exposed_us"), when.closes))

    def _last(self, test: exp.Expr) -> exp.Expr:
        us, start = column_of("marked", "us"), column_of("units", "exposed_us")
        inside = exp.and_(test.copy(), exp.LT(this=us, expression=start))
        return self._fact(exp.Max(this=exp.Case().when(inside, us.copy())))

    def _days(self, test: exp.Expr, when: Window) -> exp.Expr:
        inside, day = exp.and_(test, when.test()), column_of("marked", "day")
        if when.closes is None or when.closes - when.opens > DAYS_IN_BITS * _DAY_US:
            each = exp.Case().when(inside, day)
            return self._fact(exp.Count(this=exp.Distinct(expressions=[each])))
        # A local day lies within two of the UTC day; the bits begin two days before the window does.
        start = exp.Paren(this=shifted(column_of("units", "exposed_us"), when.opens))
        utc_day = exp.Paren(this=exp.IntDiv(this=start, expression=exp.Literal.number(_DAY_US)))
        place = exp.Add(this=exp.Sub(this=day, expression=utc_day), expression=exp.Literal.number(2))
        bit = exp.BitwiseLeftShift(this=_unsigned(_ONE.copy()), expression=_unsigned(exp.Paren(this=place)))
        days = self._fact(exp.func("bit_or", exp.Case().when(inside, bit)))
        return exp.func("coalesce", exp.func("bit_count", days), _ZERO.copy())

    def _promoter(
        self, outcome: Outcome, selector: Selector, text: str, when: Window, bottom: bool
    ) -> exp.Expr:
        """The last answer as 100, 0 or -100 points; or whether there is any."""
        value = self.marks.value(outcome, selector, text)
        answered = exp.and_(exp.not_(value.copy().is_(exp.null())), when.test())
        last = self._fact(
            exp.ArgMax(this=exp.Case().when(answered, value), expression=column_of("marked", "us"))
        )
        if bottom:
            return exp.Case().when(exp.not_(last.is_(exp.null())), _ONE.copy()).else_(_ZERO.copy())
        case = exp.Case()
        for kind, bound, points in ((exp.GTE, 9, 100), (exp.LTE, 6, -100)):
            case = case.when(
                kind(this=last.copy(), expression=exp.Literal.number(bound)), exp.convert(points)
            )
        return case.else_(_ZERO.copy())


def _unsigned(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, exp.DataType.Type.UBIGINT)
