"""The views of the published database: what an analyst finds, column by column, and nothing that is hidden."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from shop import PRODUCT, Shop, track

from headway.engine import connect
from headway.frameworks.catalogue import SCHEMA as CATALOGUE
from headway.frameworks.values import SCHEMA as VALUES
from headway.models.metrics import STAGES
from headway_pipelines.noise import NOISE
from headway_pipelines.publishing.comments import TABLE_COMMENTS
from headway_pipelines.publishing.publish import publish
from headway_pipelines.publishing.views import view_names, views, with_view_names
from headway_pipelines.report.judge import Estimate, against_limit, against_target
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.databases import replace_database
from headway_pipelines.warehouse.reading import tables_of

MONDAY = date(2026, 3, 2)
WEEK = timedelta(days=7)


def metric(name: str, framework: str = "aarrr", stage: str = "activation", **facts: Any) -> dict[str, Any]:
    texts = {c: f"{c} of {name}" for c in ("title", "question", "goal", "signal", "owner", "definition")}
    row = {"metric": name, "framework": framework, "stage": stage, "unit": "percent", "direction": "up"}
    return row | texts | {"definition_hash": "now"} | facts


def value(name: str, start: date = MONDAY, **cell: Any) -> dict[str, Any]:
    row = {
        "metric": name, "framework": "aarrr", "stage": "activation", "segment": "all", "period": "week",
        "period_start": start, "period_end": start + timedelta(6), "value": 0.5, "unit": "percent",
        "numerator": 50.0, "denominator": 100.0, "people": 100, "low": 0.4, "high": 0.6,
        "interval_method": "wilson", "complete": True, "suppressed": False, "reason": None,
        "as_of": datetime(2026, 4, 6), "definition_hash": "now", "code_version": "0.1.0",
    }  # fmt: skip
    return row | cell


def write(path: Path, catalogue: list[dict[str, Any]], values: list[dict[str, Any]]) -> Path:
    """A published database of these rows."""
    facts = with_view_names(pl.DataFrame(catalogue, schema=CATALOGUE, orient="row"))
    found = views(facts)
    replace_database(
        path,
        {
            "metric_catalogue": facts,
            "metric_values": pl.DataFrame(values, schema=VALUES, orient="row")
            .drop("contributors", "estimate", "effective")
            .with_columns(held_since=pl.lit(None, dtype=pl.Datetime))
            .with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in NOISE.items()),
        },
        views={name: view.query for name, view in found.items()},
        view_comments={name: view.comment for name, view in found.items()},
        comments=True,
    )
    return path


def ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    con = connect(path, read_only=True)
    try:
        return con.execute(query).fetchall()
    finally:
        con.close()


def test_every_framework_has_a_view_even_without_metrics(tmp_path: Path) -> None:
    path = write(tmp_path / "a.duckdb", [], [])
    for framework in ("aarrr", "heart", "customer", "quality"):
        assert ask(path, f"SELECT count(*) FROM {framework}") == [(0,)]


def test_a_metric_of_two_frameworks_is_in_both_and_once_in_its_own_view(tmp_path: Path) -> None:
    heart: dict[str, Any] = {"framework": "heart", "stage": "retention"}
    catalogue = [metric("back", stage="retention"), metric("back", **heart, goal="A habit.")]
    values = [value("back", stage="retention"), value("back", **heart)]
    path = write(tmp_path / "a.duckdb", catalogue, values)
    shown = "stage, metric, title, goal, period_start, value, low, high, people"
    cell = (MONDAY, 0.5, 0.4, 0.6, 100)
    assert ask(path, f"SELECT {shown} FROM aarrr") == [
        ("retention", "back", "title of back", "goal of back", *cell)
    ]
    assert ask(path, f"SELECT {shown} FROM heart") == [
        ("retention", "back", "title of back", "A habit.", *cell)
    ]
    assert ask(path, "SELECT period_start, value, low, high, people, definition FROM metric_back") == [
        (*cell, "definition of back")
    ]
    assert ask(path, "FROM customer") == ask(path, "FROM quality") == []


def test_stages_sort_as_the_report_shows_them(tmp_path: Path) -> None:
    places = [(framework, stage) for framework, stages in STAGES.items() for stage in stages]
    catalogue = [metric(f"m{n}", *place) for n, place in enumerate(places[::-1])]
    values = [
        value(f"m{n}", framework=framework, stage=stage) for n, (framework, stage) in enumerate(places[::-1])
    ]
    path = write(tmp_path / "a.duckdb", catalogue, values)
    for framework, stages in STAGES.items():
        found = ask(path, f"SELECT stage FROM {framework} ORDER BY stage_order")
        assert tuple(stage for (stage,) in found) == stages


def test_segments_fall_into_dimension_and_label(tmp_path: Path) -> None:
    segments = ["all", "channel=email", "plan=a=b", "plan=(none)"]
    path = write(tmp_path / "a.duckdb", [metric("m")], [value("m", segment=segment) for segment in segments])
    assert ask(path, "SELECT segment, dimension, label FROM metric_m ORDER BY segment") == [
        ("all", "all", "all"),
        ("channel=email", "channel", "email"),
        ("plan=(none)", "plan", "(none)"),
        ("plan=a=b", "plan", "a=b"),
    ]


def test_the_latest_period_is_the_last_complete_one_of_each_kind_and_segment(tmp_path: Path) -> None:
    values = [
        value("m", MONDAY),
        value("m", MONDAY + WEEK),
        value("m", MONDAY + 2 * WEEK, complete=False),
        value("m", MONDAY, segment="channel=email"),
        value("m", MONDAY + WEEK, segment="channel=email", complete=False),
        value("m", date(2026, 3, 1), period="month", complete=False),
    ]
    path = write(tmp_path / "a.duckdb", [metric("m")], values)
    assert ask(path, "SELECT period, segment, period_start FROM metric_m WHERE latest ORDER BY ALL") == [
        ("week", "all", MONDAY + WEEK),
        ("week", "channel=email", MONDAY),
    ]


@pytest.mark.parametrize(
    ("direction", "cell", "met"),
    [
        ("up", {"low": 0.45, "high": 0.6}, True),  # the whole interval is as good
        ("up", {"low": 0.44, "high": 0.6}, None),  # the target lies within
        ("up", {"low": 0.3, "high": 0.44}, False),
        ("down", {"low": 0.3, "high": 0.45}, True),
        ("down", {"low": 0.3, "high": 0.46}, None),
        ("down", {"low": 0.46, "high": 0.6}, False),
        ("up", {"low": None, "high": None}, None),
        ("up", {"low": 0.5, "high": None}, True),  # open above
        ("down", {"low": 0.5, "high": None}, False),
        ("up", {"low": 0.5, "complete": False}, None),
        ("up", {"low": 0.5, "segment": "channel=email"}, None),
        ("up", {"low": 0.5, "period": "day"}, None),
        ("up", {"low": None, "high": None, "value": None, "suppressed": True}, None),
    ],
)
def test_a_target_is_met_missed_or_neither(
    tmp_path: Path, direction: str, cell: dict[str, Any], met: bool | None
) -> None:
    facts: dict[str, Any] = {"target_value": 0.45, "target_by": date(2026, 12, 31), "target_period": "week"}
    path = write(tmp_path / "a.duckdb", [metric("m", direction=direction, **facts)], [value("m", **cell)])
    aimed = "segment" not in cell and "period" not in cell
    target = (0.45, date(2026, 12, 31)) if aimed else (None, None)
    assert ask(path, "SELECT target, target_by, meets_target FROM metric_m") == [(*target, met)]
    if aimed and cell.get("complete", True):  # the report says the same
        whole = value("m", **cell)
        estimate = None if whole["value"] is None else Estimate(whole["value"], whole["low"], whole["high"])
        verdict = against_target(estimate, 0.45, direction=direction, due=None, today=MONDAY)
        assert {"met": True, "missed": False}.get(verdict) is met


@pytest.mark.parametrize(
    ("direction", "cell", "kept"),
    [
        ("down", {"low": 0.3, "high": 0.45}, True),  # on the limit keeps it
        ("down", {"low": 0.3, "high": 0.46}, None),
        ("down", {"low": 0.46, "high": 0.6}, False),
        ("up", {"low": 0.45, "high": 0.6, "period": "day"}, True),  # in every kind of period
        ("up", {"low": 0.3, "high": 0.44}, False),
        ("up", {"low": None, "high": None}, None),
        ("up", {"low": 0.5, "complete": False}, None),
        ("up", {"low": 0.5, "segment": "channel=email"}, None),
    ],
)
def test_a_limit_is_kept_broken_or_neither(
    tmp_path: Path, direction: str, cell: dict[str, Any], kept: bool | None
) -> None:
    path = write(
        tmp_path / "a.duckdb", [metric("m", direction=direction, limit_value=0.45)], [value("m", **cell)]
    )
    limit = None if "segment" in cell else 0.45
    assert ask(path, "SELECT limit_value, keeps_limit FROM metric_m") == [(limit, kept)]
    if limit and cell.get("complete", True):  # the report says the same
        estimate = Estimate(0.5, cell["low"], cell["high"])
        guard = against_limit(estimate, 0.45, direction=direction)
        assert {"within": True, "beyond": False}.get(guard) is kept


@pytest.mark.parametrize(("total", "met"), [(49.0, False), (50.0, True)])
def test_a_running_total_is_counted_and_needs_no_interval(tmp_path: Path, total: float, met: bool) -> None:
    facts: dict[str, Any] = {
        "kind": "cumulative",
        "target_value": 50.0,
        "target_period": "week",
        "limit_value": 50.0,
    }
    cell = value("m", value=total, low=None, high=None, interval_method=None)
    path = write(tmp_path / "a.duckdb", [metric("m", **facts)], [cell])
    assert ask(path, "SELECT low, high, meets_target, keeps_limit FROM metric_m") == [(None, None, met, met)]


def test_values_of_an_earlier_definition_are_marked(tmp_path: Path) -> None:
    values = [value("m", MONDAY, definition_hash="before"), value("m", MONDAY + WEEK)]
    path = write(tmp_path / "a.duckdb", [metric("m")], values)
    for relation in ("metric_m", "aarrr"):
        query = f"SELECT definition_hash, definition_changed FROM {relation} ORDER BY period_start"
        assert ask(path, query) == [("before", True), ("now", False)]


def test_names_of_views_are_never_those_of_tables(tmp_path: Path) -> None:
    names = ["values", "catalogue", "values_2", "activation"]
    found = view_names(names)
    assert found == {
        "values": "metric_values_3",
        "catalogue": "metric_catalogue_2",
        "values_2": "metric_values_2",
        "activation": "metric_activation",
    }
    path = write(tmp_path / "a.duckdb", [metric(name) for name in names], [value(name) for name in names])
    assert ask(path, "SELECT count(*) FROM metric_values") == [(4,)]
    assert dict(ask(path, "SELECT metric, view_name FROM metric_catalogue")) == found
    for view in found.values():
        assert ask(path, f"SELECT count(*) FROM {view}") == [(1,)]


def test_words_of_a_definition_stay_text(tmp_path: Path) -> None:
    hostile = 'it\'s "quoted"; DROP TABLE metric_values; -- $metric {x}\n'
    path = write(tmp_path / "a.duckdb", [metric("m", title=hostile, definition=hostile)], [value("m")])
    assert ask(path, "SELECT definition FROM metric_m") == [(hostile,)]
    ((comment,),) = ask(path, "SELECT comment FROM duckdb_views() WHERE view_name = 'metric_m'")
    assert comment.startswith(hostile)


TWO = (
    PRODUCT.replace("currency: EUR", "currency: EUR\ngrains: [day, week, month]")
    + """
segments: {touched: {touch: last}}
"""
).replace(
    "    framework: aarrr\n    stage: activation\n",
    "    report: [{framework: aarrr, stage: activation}, {framework: heart, stage: adoption}]\n",
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A shop's published database: three weeks, a dozen new people a day, and on some days few."""
    folder = tmp_path_factory.mktemp("views")
    with pytest.MonkeyPatch.context() as patch:
        (folder / "key").write_text(secrets.token_hex(32))
        (folder / "key").chmod(0o600)
        patch.setenv("HEADWAY_KEY_FILE", str(folder / "key"))
        yield published_shop(Shop(folder / "shop", product=TWO))


def published_shop(shop: Shop) -> Path:
    calls = []
    for day in range(21):
        for n in range(3 if day % 9 == 0 else 14):
            user, minute = f"u{day}-{n}", day * 24 * 60 + n
            utm = "?utm_medium=email" if n % 3 == 0 else ""
            calls.append(track("Page Viewed", minute, user=user, url=f"https://shop.example.com/{utm}"))
            calls.append(track("Signed Up", minute + 1, user=user))
            if n % 2:
                calls.append(track("Order Completed", minute + 2, user=user, amount=5))
    shop.land("a.json", calls)
    shop.load()
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
    publish(shop.workspace)
    return shop.workspace.published_db


def test_views_show_what_the_published_tables_hold_and_no_more(published: Path) -> None:
    tables = tables_of(published)
    values, catalogue = tables["metric_values"], tables["metric_catalogue"]
    assert values["suppressed"].any() and not values["suppressed"].all()
    cells = [
        name for name in values.columns if name not in ("metric", "framework", "stage", "definition_hash")
    ]
    listed = ", ".join(cells)
    for name in ("new_people", "buying"):
        first = catalogue.filter(metric=name).row(0, named=True)
        mine = values.filter(metric=name, framework=first["framework"]).select(cells)
        assert sorted(ask(published, f"SELECT {listed} FROM metric_{name}"), key=repr) == sorted(
            mine.rows(), key=repr
        )
    for framework in STAGES:
        mine = values.filter(framework=framework).select("metric", "stage", *cells)
        found = ask(published, f"SELECT metric, stage, {listed} FROM {framework}")
        assert sorted(found, key=repr) == sorted(mine.rows(), key=repr)
    assert ask(published, "SELECT count(*) FROM metric_buying WHERE definition_changed") == [(0,)]
    hidden = "value, numerator, denominator, people, low, high, meets_target"
    rows = ask(published, f"SELECT DISTINCT {hidden} FROM aarrr WHERE suppressed")
    assert rows == [(None,) * 7]


def test_every_view_and_column_says_what_it_is(published: Path) -> None:
    found = dict(ask(published, "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"))
    assert set(found) == {*STAGES, "metric_new_people", "metric_buying"}
    assert all(found.values()) and "Sign-ups that buy" in found["metric_buying"]
    assert "'Order Completed'" in found["metric_buying"]  # the definition
    bare = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
    assert ask(published, bare) == []
    assert not set(found) & set(TABLE_COMMENTS)


def test_a_file_attached_under_another_name_answers(published: Path) -> None:
    con = connect()
    try:
        con.execute(f"ATTACH '{published}' AS theirs (READ_ONLY)")
        assert con.execute("SELECT count(*) > 0 FROM theirs.heart").fetchall() == [(True,)]
    finally:
        con.close()
