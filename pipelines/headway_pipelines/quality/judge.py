"""Running a Great Expectations suite over a small frame, with nothing but booleans coming back.

Great Expectations is imported inside the functions: the import takes seconds, and most commands never judge.
"""

from __future__ import annotations

import gc
import sys
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import LazyLoader, find_spec, module_from_spec
from typing import Any

import polars as pl

from headway.errors import HeadwayError

#: What Great Expectations imports for expectations that are not used here: a quarter of the whole import.
_UNUSED = ("scipy.stats",)


@dataclass(frozen=True)
class Rule:
    """One expectation about a column of a profile.

    Attributes:
        name: Short name shown in reports.
        column: Column of the profile.
        low: Smallest allowed value; None for no bound.
        high: Largest allowed value; None for no bound.
        critical: Whether a violation blocks; otherwise it warns.
        meaning: One sentence for people.
    """

    name: str
    column: str
    low: float | None
    high: float | None
    meaning: str
    critical: bool = True


@dataclass(frozen=True)
class Finding:
    """A rule that did not hold.

    Attributes:
        rule: The rule.
        rows: Positions of the rows that violate it.
    """

    rule: Rule
    rows: tuple[int, ...]


def judge(frame: pl.DataFrame, rules: Sequence[Rule]) -> list[Finding]:
    """Judges every row of a frame by rules; null values are not judged.

    Args:
        frame: The profile: numbers only.
        rules: What must hold.

    Returns:
        The rules that did not hold for some row, with those rows.

    Raises:
        HeadwayError: A rule still does not hold without the rows that break its bounds.
    """
    failed = [r for r, success in zip(rules, _validate(frame, rules), strict=True) if not success]
    findings = [Finding(rule, _outside(frame, rule)) for rule in failed]
    # Great Expectations says whether a rule holds, never where (that would carry values). The rows are found by
    # the same bounds, and it confirms that nothing else was wrong.
    for finding in findings:
        rest = frame.with_row_index("_row").filter(~pl.col("_row").is_in(finding.rows)).drop("_row")
        if not all(_validate(rest, [finding.rule])):
            raise HeadwayError(
                f"the check {finding.rule.name!r} fails for rows that its bounds do not explain"
            )
    return findings


def _outside(frame: pl.DataFrame, rule: Rule) -> tuple[int, ...]:
    value = frame[rule.column]
    low = value < rule.low if rule.low is not None else pl.repeat(False, frame.height, eager=True)
    high = value > rule.high if rule.high is not None else pl.repeat(False, frame.height, eager=True)
    return tuple((low | high).fill_null(False).arg_true())


def _validate(frame: pl.DataFrame, rules: Sequence[Rule]) -> list[bool]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _run_suite(frame, rules)


def _run_suite(frame: pl.DataFrame, rules: Sequence[Rule]) -> list[bool]:
    _import_quickly()
    import great_expectations as gx

    suite = gx.ExpectationSuite("profile", expectations=[_expectation(gx, rule) for rule in rules])
    batch = _profiles()
    # BOOLEAN_ONLY: every richer format carries values of the data.
    validation = batch.get_batch({"dataframe": frame.to_pandas()}).validate(
        suite, result_format="BOOLEAN_ONLY"
    )
    by_rule = {r.expectation_config.meta["rule"]: bool(r.success) for r in validation.results}
    return [by_rule[rule.name] for rule in rules]


@cache
def preload() -> None:
    """Imports Great Expectations in the background, once: it takes seconds that reading raw logs can hide."""
    threading.Thread(target=_import_quickly, daemon=True).start()


def _import_quickly() -> None:
    """Imports it without looking for garbage: thousands of modules leave next to none, and the search costs a fifth."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        for name in _UNUSED:
            _import_on_use(name)
        import_module("great_expectations")
    finally:
        if collecting:
            gc.enable()


def _import_on_use(name: str) -> None:
    """Has a module of a package imported when somebody first looks into it, not before."""
    if name in sys.modules or (spec := find_spec(name)) is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    package, _, own_name = name.rpartition(".")
    setattr(sys.modules[package], own_name, module)


@cache
def _profiles() -> Any:
    """Great Expectations' name for whatever frame is handed over; made once, it takes a while."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("profile").add_dataframe_asset("profile")
    return asset.add_batch_definition_whole_dataframe("profile")


def _expectation(gx: Any, rule: Rule) -> Any:
    severity = "critical" if rule.critical else "warning"
    return gx.expectations.ExpectColumnValuesToBeBetween(
        column=rule.column,
        min_value=rule.low,
        max_value=rule.high,
        severity=severity,
        meta={"rule": rule.name},
    )
