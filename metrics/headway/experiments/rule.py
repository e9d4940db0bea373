"""The decision rule of an experiment, declared before it starts, and what it says of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from headway.errors import InputError

Decision = Literal["ship", "stop", "continue", "inconclusive"]


@dataclass(frozen=True)
class Rule:
    """When an experiment ships, stops, goes on, or stays open.

    * no verdict while the split differs from the plan (p < `split`): inconclusive, whatever the numbers say
    * stop: a guardrail is surely breached, or a primary metric is surely worse
    * ship: a primary metric is surely better, none is worse, and every guardrail holds
    * stop: at the end, every primary effect is surely smaller than `worthwhile`
    * inconclusive: the end came without an answer; continue: it has not come yet

    "Surely" is at the experiment's alpha, adjusted for the number of primary metrics and variants. A fixed experiment
    says nothing before its end, a sequential one may at any time: looking early does no harm in either.

    Attributes:
        minimum_units: Units an arm needs before anything is said.
        worthwhile: Smallest relative effect worth having; None: any.
        split: Probability below which the split is called broken.

    Raises:
        InputError: A number is out of range.
    """

    minimum_units: int = 100
    worthwhile: float | None = None
    split: float = 0.001

    def __post_init__(self) -> None:
        if (
            isinstance(self.minimum_units, bool)
            or not isinstance(self.minimum_units, int)
            or self.minimum_units < 2
        ):
            raise InputError("minimum_units must be a whole number of at least 2")
        if self.worthwhile is not None and not 0 < self.worthwhile < 10:
            raise InputError("worthwhile is a relative effect, such as 0.05 for 5 %")
        if not 0 < self.split < 0.5:
            raise InputError("split is a probability, such as 0.001")


DECLARED_NOTHING = Rule()
"""The rule where none was written down."""


@dataclass(frozen=True)
class Verdict:
    """What the rule says.

    Attributes:
        decision: What to do.
        variant: The variant to ship; None where none is shipped.
        why: In words.
        about: Metrics whose numbers or verdicts the words quote.
    """

    decision: Decision
    variant: str | None
    why: str
    about: tuple[str, ...] = ()


def decide(
    rule: Rule, rows: Sequence[Mapping[str, Any]], *, over: bool, sequential: bool, split_p: float | None
) -> Verdict:
    """Applies a rule.

    Args:
        rule: The rule.
        rows: Rows of the result's frame: metric, variant, role, direction, units, p_adjusted, effect, verdict,
            relative_low, relative_high, reason.
        over: Whether the planned end has come, with the window of the primary metrics.
        sequential: Whether the rows hold at any time.
        split_p: p-value of the split; None where it could not be tested.

    Returns:
        The verdict.

    Examples:
        >>> row = {"metric": "sales", "variant": "new", "role": "primary", "units": 500, "verdict": "better",
        ...        "relative_low": 0.01, "relative_high": 0.2, "direction": "up", "p_adjusted": 0.01, "reason": None}
        >>> decide(Rule(), [row], over=True, sequential=False, split_p=0.4).decision
        'ship'
    """
    if split_p is not None and split_p < rule.split:
        return Verdict(
            "inconclusive",
            None,
            f"the split differs from the plan ({_p(split_p)}): who is missing may differ from who is not, so no "
            "comparison can be trusted until the cause is found",
        )
    if not over and not sequential:
        return Verdict(
            "continue", None, "judged once, at the planned end, so that looking early does no harm"
        )
    compared = [row for row in rows if row["role"] != "secondary"]
    short = [row for row in compared if row["units"] < rule.minimum_units]
    if short:
        least = min(row["units"] for row in short)
        why = f"an arm has {least} units of the {rule.minimum_units} the rule asks for"
        return Verdict("inconclusive" if over else "continue", None, why, _metrics(short))
    return _judged(rule, compared, over)


def _judged(rule: Rule, rows: Sequence[Mapping[str, Any]], over: bool) -> Verdict:
    primary = [row for row in rows if row["role"] == "primary"]
    by_variant = {
        row["variant"]: [each for each in rows if each["variant"] == row["variant"]] for row in primary
    }
    winners, harmed = [], []
    for variant, found in by_variant.items():
        bad = [row for row in found if row["verdict"] in ("worse", "breached")]
        good = [row for row in found if row["verdict"] == "better" and row["role"] == "primary"]
        open_ = [row for row in found if row["role"] == "guardrail" and row["verdict"] != "holds"]
        if bad:
            harmed.append((variant, bad[0]))
        elif good and not open_:
            winners.append((min(row["p_adjusted"] for row in good), variant, good[0]))
    quoted = _metrics(rows)
    if winners:
        _, variant, row = min(winners, key=lambda each: (each[0], each[1]))
        why = f"{named(row)} is better with {variant}, and every guardrail holds"
        return Verdict("ship", variant, why, quoted)
    if harmed and len(harmed) == len(by_variant):
        variant, row = harmed[0]
        what = "is past its margin" if row["role"] == "guardrail" else "is worse"
        return Verdict("stop", None, f"{named(row)} {what} with {variant}", (row["metric"],))
    if over and rule.worthwhile is not None and all(_too_small(row, rule.worthwhile) for row in primary):
        why = f"no effect of {100 * rule.worthwhile:g} % or more is left possible"
        return Verdict("stop", None, why, _metrics(primary))
    if not over:
        return Verdict("continue", None, "nothing is sure yet, and the planned end has not come")
    if kept := next(held_up(rows), None):
        return Verdict("inconclusive", None, kept, quoted)
    reasons = {row["reason"] for row in primary if row["reason"]}
    why = f"; {sorted(reasons)[0]}" if reasons else ""
    return Verdict(
        "inconclusive", None, f"the end came and no primary metric shows a difference{why}", _metrics(primary)
    )


def held_up(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Says what keeps a variant from shipping whose primary metric is surely better.

    Args:
        rows: Rows of a result but the control's: metric, title, variant, role, verdict and reason; those that are
            hidden have the verdict ``hidden``.

    Yields:
        One sentence a variant.

    Examples:
        >>> row = {"metric": "sales", "variant": "new", "role": "primary", "verdict": "better", "reason": None}
        >>> next(held_up([row, {**row, "metric": "tickets", "role": "guardrail", "verdict": "hidden"}]))
        'sales is better with new, but does not ship: the guardrail "tickets" has too few people to be judged'
    """
    for row in rows:
        if row["role"] != "primary" or row["verdict"] != "better":
            continue
        own = [each for each in rows if each["variant"] == row["variant"]]
        open_ = [each for each in own if each["role"] == "guardrail" and each["verdict"] != "holds"]
        worse = [each for each in own if each["role"] == "primary" and each["verdict"] == "worse"]
        if missing := [f"{_quoted(each)} {_unjudged(each)}" for each in (*worse, *open_)]:
            yield f"{named(row)} is better with {row['variant']}, but does not ship: {'; '.join(missing)}"


def _quoted(row: Mapping[str, Any]) -> str:
    return f'the guardrail "{named(row)}"' if row["role"] == "guardrail" else named(row)


def _unjudged(row: Mapping[str, Any]) -> str:
    if row["verdict"] == "hidden":
        return "has too few people to be judged"
    if row["verdict"] == "worse":
        return "is worse"
    if row["verdict"] == "breached":
        return "is past its margin"
    if row["verdict"] == "no estimate":
        return f"cannot be judged: {row['reason']}" if row["reason"] else "cannot be judged"
    return "may still be worse by more than its margin"


def _metrics(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(row["metric"]) for row in rows))


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def named(row: Mapping[str, Any]) -> str:
    """Names the metric of a row for people."""
    return str(row.get("title") or row["metric"])


def _too_small(row: Mapping[str, Any], worthwhile: float) -> bool:
    edge = row["relative_high"] if row["direction"] == "up" else row["relative_low"]
    if edge is None:
        return False
    return bool((edge if row["direction"] == "up" else -edge) < worthwhile)
