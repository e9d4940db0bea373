"""Values, targets and changes in words: generated from the numbers, never more certain than the interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from headway_pipelines.report.grains import GRAINS
from headway_pipelines.report.judge import Estimate
from headway_pipelines.report.model import Cell, Metric
from headway_pipelines.report.numbers import amount, apart, bounds, day, decimals, signed

_A_PERIOD = {
    "day": " a day",
    "month": " in a month",
    "rolling_7d": " in 7 days",
    "rolling_28d": " in 28 days",
}

_NAMED = 2
"""How many metrics a sentence of the lead names."""


def value_words(metric: Metric, cell: Cell | None) -> str:
    """Shows a value with its interval, or says why there is none.

    Args:
        metric: The metric.
        cell: One of its periods, None where there is no complete one.

    Returns:
        For example ``38 % (35–41)`` or ``fewer than 10 people``.
    """
    if cell is None:
        return f"no complete {metric.grain.one} yet"
    if cell.estimate is None:
        return cell.reason
    return " ".join(estimate_parts(metric, cell.estimate))


def estimate_parts(metric: Metric, estimate: Estimate) -> tuple[str, str]:
    """Shows a value and its interval as two texts.

    Args:
        metric: The metric, whose target and limit the numbers must visibly miss where they do.
        estimate: The value.

    Returns:
        ``("38 %", "(35–41)")``; the second says so where there is no interval, or no need of one.
    """
    low, high = estimate.low, estimate.high
    places = decimals(metric.unit, estimate.value, low, high)
    for level in (metric.target, metric.limit):
        if level is not None:
            ends = ((low, level), (high, level), (estimate.value, level))
            places = apart(places, metric.unit, *ends)
    value = amount(estimate.value, metric.unit, places)
    if metric.counted:
        return value, "(counted)"
    if low is None or high is None:
        return value, _half_open(metric.unit, low, high, places)
    return value, f"({bounds(low, high, metric.unit, places)})"


def _half_open(unit: str, low: float | None, high: float | None, places: int) -> str:
    if low is not None:
        return f"({amount(low, unit, places)} or more)"
    return "(no interval)" if high is None else f"({amount(high, unit, places)} or less)"


def target_amount(metric: Metric) -> str:
    """Shows a target's value, for example ``45 %``; empty without a target."""
    if metric.target is None:
        return ""
    return _level(metric.target, metric.unit) + _A_PERIOD.get(metric.target_period, "")


def _level(value: float, unit: str) -> str:
    """Shows a number somebody wrote, with as many decimals as were written, three at most."""
    scale = 100 if unit == "percent" else 1
    places = next((n for n in range(3) if abs(round(value * scale, n) - value * scale) < 1e-9), 3)
    return amount(value, unit, places)


def limit_words(metric: Metric) -> str:
    """Shows a limit, for example ``at most 5 %``; empty without a limit."""
    if metric.limit is None:
        return ""
    return f"at {'most' if metric.direction == 'down' else 'least'} {_level(metric.limit, metric.unit)}"


def guard_words(metric: Metric) -> str:
    """Says in a sentence whether the limit is kept, and how sure that is; empty without a limit."""
    limit, estimate = limit_words(metric), metric.estimate
    if metric.guard == "within":
        return "Kept" if metric.counted else "Kept even by the worse end of the interval"
    if metric.guard == "beyond":
        return "Not kept" if metric.counted else "Not kept even by the better end of the interval"
    if metric.guard == "unsure" and estimate and (estimate.low is None or estimate.high is None):
        return f"Without an interval nobody can say whether it is {limit}"
    return "The limit lies within the interval: it may be kept or not" if metric.guard == "unsure" else ""


def target_words(metric: Metric) -> str:
    """Shows a target with its date, for example ``45 % by 31 Dec 2026``; empty without a target."""
    due = metric.facts["target_by"]
    return target_amount(metric) + (f" by {day(due)}" if metric.target is not None and due else "")


def change_parts(metric: Metric) -> tuple[str, str]:
    """Shows the change on the period before and its interval as two texts; empty where there is none.

    Percentage points are points here: the table's row says of what.
    """
    change = metric.change
    if change is None:
        return "", ""
    places = _change_places(metric)
    text = signed(change.value, metric.unit, places).replace("percentage ", "")
    if change.low is None or change.high is None:
        return text, ""
    return text, f"({bounds(change.low, change.high, metric.unit, places)})"


def noise_words(metric: Metric) -> str:
    """Says whether the change is distinguishable from noise, or why that cannot be said."""
    if metric.change is None:
        return metric.no_change_reason
    if metric.change.distinct is None:
        return "no interval: cannot tell it from noise"
    if not metric.change.distinct:
        return "within noise"
    return f"{'better' if improved(metric) else 'worse'}, more than noise"


def improved(metric: Metric) -> bool:
    """Tells whether the change went the good way."""
    return metric.change is not None and (metric.change.value > 0) == (metric.direction != "down")


def lead(metrics: Sequence[Metric]) -> list[str]:
    """Sums the scorecard up.

    Args:
        metrics: All metrics; one that several stages report counts once.

    Returns:
        Two to five sentences.
    """
    distinct = list({metric.name: metric for metric in metrics}.values())
    if not distinct:
        return [
            "No metric is declared yet.",
            "Declare what matters under metrics in product.yml and run again.",
        ]
    if not any(metric.estimate for metric in distinct):
        return _nothing_to_say(distinct)
    return [*_targets(distinct), *_limits(distinct), _changes(distinct), _periods(distinct)]


def period_noun(metrics: Iterable[Metric]) -> str:
    """What the periods of metrics are called: ``week``, ``month``, or ``period`` where they are of several kinds."""
    nouns = {metric.grain.one for metric in metrics}
    return nouns.pop() if len(nouns) == 1 else "period"


def _nothing_to_say(metrics: Sequence[Metric]) -> list[str]:
    cells, one = [metric.main.latest for metric in metrics], period_noun(metrics)
    if not any(cells):
        return [
            f"No metric has a complete {one} yet, so there is no value to judge.",
            f"A {one} counts once it has ended, and the time people have to act has passed, within the data received.",
        ]
    hidden = sum(1 for cell in cells if cell and cell.suppressed)
    return [
        f"No metric has a value to show for its latest complete {one}.",
        f"Of {_plural(len(metrics), 'metric')}, {hidden} {_be(hidden)} hidden because too few people are behind "
        "the value; the scorecard gives each reason.",
    ]


def _targets(metrics: Sequence[Metric]) -> list[str]:
    aimed = [metric for metric in metrics if metric.target is not None]
    if not aimed:
        return ["No metric has a target yet, so this page says where things are, not whether that is enough."]
    groups = {
        ("meets it", "meet it"): [m for m in aimed if m.verdict == "met"],
        ("falls short of it", "fall short of it"): [m for m in aimed if m.verdict in ("missed", "short")],
        ("is too uncertain to say", "are too uncertain to say"): [
            m for m in aimed if m.verdict == "uncertain"
        ],
        ("has no value", "have no value"): [m for m in aimed if m.verdict == "unknown"],
    }
    counted = [f"{len(found)} {verb[len(found) != 1]}" for verb, found in groups.items() if found]
    sentences = [f"Of {_plural(len(aimed), 'metric')} with a target, {_joined(counted)}."]
    behind = groups["falls short of it", "fall short of it"]
    named = sorted(behind, key=_gap, reverse=True)[:_NAMED]
    if named:
        first = "Furthest from target: " if len(behind) > len(named) else ""
        sentences.append(f"{first}{_joined([_position(metric) for metric in named], semicolons=True)}.")
    return sentences


def _limits(metrics: Sequence[Metric]) -> list[str]:
    """Says which guardrails hold; nothing where none is declared."""
    guards = [metric for metric in metrics if metric.limit is not None]
    if not guards:
        return []
    groups = {
        "kept": [m for m in guards if m.guard == "within"],
        "not kept": [m for m in guards if m.guard == "beyond"],
        "not sure to be kept": [m for m in guards if m.guard == "unsure"],
        "without a value": [m for m in guards if m.guard == "unknown"],
    }
    counted = [f"{len(found)} {_be(len(found))} {how}" for how, found in groups.items() if found]
    sentence = f"Of {_plural(len(guards), 'limit')}, {_joined(counted)}"
    broken = [
        f"{m.title} is {value_words(m, m.main.latest)}, where {limit_words(m)} is allowed"
        for m in groups["not kept"][:_NAMED]
    ]
    return [f"{sentence}: {_joined(broken, semicolons=True)}." if broken else f"{sentence}."]


def _position(metric: Metric) -> str:
    side = "above" if metric.direction == "down" else "below"
    value = value_words(metric, metric.targeted)
    return f"{metric.title} is {value}, {side} its target of {target_amount(metric)}"


def _gap(metric: Metric) -> float:
    cell = metric.targeted
    if cell is None or cell.estimate is None or metric.target is None:
        return 0.0
    return abs(cell.estimate.value - metric.target) / (abs(metric.target) or 1.0)


def _changes(metrics: Sequence[Metric]) -> str:
    compared = [m for m in metrics if m.change is not None and m.change.distinct is not None]
    one = period_noun(metrics)
    if not compared:
        return f"No metric can be compared with the {one} before."
    moved = [m for m in compared if m.change is not None and m.change.distinct]
    if not moved:
        return f"None of {_plural(len(compared), 'metric')} differs from the {one} before by more than noise."
    named = [_movement(metric) for metric in moved[:_NAMED]]
    if len(moved) > _NAMED:
        named.append(f"and {len(moved) - _NAMED} more")
    return (
        f"Against the {one} before, {len(moved)} of {_plural(len(compared), 'metric')} moved by more than noise "
        f"(1 comparison in 20 does so by chance alone): {_joined(named, semicolons=True)}."
    )


def _movement(metric: Metric) -> str:
    change = metric.change
    assert change is not None and change.low is not None and change.high is not None
    places = _change_places(metric)
    size = signed(abs(change.value), metric.unit, places).removeprefix("+")
    ends = sorted((abs(change.low), abs(change.high)))
    verb = "rose" if change.value > 0 else "fell"
    return f"{metric.title} {verb} by {size} ({bounds(ends[0], ends[1], metric.unit, places)})"


def _periods(metrics: Sequence[Metric]) -> str:
    """Says of when the values are: of the commonest kind of period first."""
    dated = [(m, m.main.latest) for m in metrics if m.main.latest]
    kinds = Counter(m.grain.name for m, _ in dated)
    texts: list[str] = []
    for name, number in kinds.most_common():
        starts = [cell.start for m, cell in dated if m.grain.name == name]
        grain, newest = GRAINS[name], max(starts)
        text = f"of the latest complete {grain.one}, {grain.words(newest)}"
        if texts:
            text = f"for {_plural(number, 'metric')} {text}"
        earlier = sum(start < newest for start in starts)
        if earlier:
            text += (
                f", or of an earlier one for {_plural(earlier, 'metric')} whose window takes longer to pass"
            )
        texts.append(text)
    missing = len(metrics) - len(dated)
    if missing:
        texts.append(f"{_plural(missing, 'metric')} {'has' if missing == 1 else 'have'} none yet")
    return f"Values are {'; '.join(texts)}."


def _change_places(metric: Metric) -> int:
    change = metric.change
    assert change is not None
    places = decimals(metric.unit, change.value, change.low, change.high)
    if metric.estimate is not None:
        # A change looks as exact as the values it is the difference of.
        now = metric.estimate
        places = max(places, decimals(metric.unit, now.value, now.low, now.high))
    return apart(places, metric.unit, (change.low, 0.0), (change.high, 0.0)) if change.distinct else places


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def _joined(parts: Iterable[str], *, semicolons: bool = False) -> str:
    listed = list(parts)
    if semicolons or len(listed) < 2:
        return "; ".join(listed)
    return f"{', '.join(listed[:-1])} and {listed[-1]}"
