"""The release log and the incidents: every row is used or rejected with its line, tags of git among them."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from shop import PLAN, PRODUCT, Shop

from headway.errors import DefinitionError, InputError
from headway.models.plan import parse_plan
from headway.models.product import Product, parse_product
from headway_pipelines.freshness import definitions
from headway_pipelines.inputs import derive_inputs, input_counts, read_inputs

FEATURES = (
    "releases: {features: {gifts: {title: Gifts, used: {event: Order Completed, where: gift = true}}}}\n"
)


@pytest.fixture
def product() -> Product:
    return parse_product(PRODUCT + FEATURES, parse_plan(PLAN))


def _write(folder: Path, name: str, *rows: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")


def test_times_are_local_unless_they_say_otherwise_and_a_day_is_its_first_instant(
    tmp_path: Path, product: Product
) -> None:
    _write(
        tmp_path,
        "releases",
        "release,released_at,name,kind,committed_at,share,segment,changes,team,feature,metrics",
        "v1,2026-07-01,Gifts,,2026-06-30T10:00,,,12,shop,gifts,buying new_people",
        "v2,2026-07-02T08:00:00+00:00,,rollout,,25 %,channel=email,,,,",
    )
    rows = read_inputs(tmp_path, product)["releases"].rows
    assert rows.rows() == [
        ("v1", datetime(2026, 6, 30, 22), "Gifts", "release", datetime(2026, 6, 30, 8), None, None, 12.0, "shop",
         None, "gifts", "buying new_people", None),
        ("v2", datetime(2026, 7, 2, 8), None, "rollout", None, 0.25, "channel=email", None, None, None, None, None,
         None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("v1,soon,,,,,", "released_at is no time; write 2026-03-31 or 2026-03-31T14:30"),
        ("grizelda@example.com,2026-07-01,,,,,", "release is no short plain name such as v1.4.0, or looks personal"),
        ("v1,2026-07-01,,,,,grizelda@example.com", "name is longer than 80 characters, or looks personal"),
        ("v1,2026-07-01,hotfix,,,,", "kind is none of release, deploy, rollout, rollback"),
        ("v1,2026-07-01,,2026-07-02,,,", "released_at is before committed_at"),
        ("v1,2026-07-01,,,0.25,,", "share is not between 1 and 100 percent; write 25 for a quarter of the people"),
        ("v1,2026-07-01,,,250,,", "share is not between 1 and 100 percent; write 25 for a quarter of the people"),
        ("v1,2026-07-01,rollback,,,,", "a rollback does not say in rolls_back which release it takes back"),
        ("v1,2026-07-01,release,,,v0,", "rolls_back is only for rows of the kind rollback"),
        ("v1,2026-07-01,rollback,,,v1,", "a release takes itself back; give the rollback a name of its own"),
    ],
)  # fmt: skip
def test_a_row_that_makes_no_sense_is_located_and_never_told(
    row: str, reason: str, tmp_path: Path, product: Product
) -> None:
    _write(tmp_path, "releases", "release,released_at,kind,committed_at,share,rolls_back,name", row)
    read = read_inputs(tmp_path, product)["releases"]
    assert read.rows.is_empty()
    assert read.rejects.rows() == [("releases", 2, reason)]
    assert "grizelda" not in str(read)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        (
            "metrics",
            "buying reach",
            "metrics names one that is none of the product's; separate names by spaces",
        ),
        ("feature", "gift", "feature is no feature of product.yml (releases: features:)"),
        ("segment", "channel=mail", "segment is none of the product's; write for example channel=email"),
        ("segment", "role=admin", "segment is none of the product's; write for example channel=email"),
    ],
)
def test_names_of_the_product_must_be_known(
    column: str, cell: str, reason: str, tmp_path: Path, product: Product
) -> None:
    _write(tmp_path, "releases", f"release,released_at,{column}", f"v1,2026-07-01,{cell}")
    assert read_inputs(tmp_path, product)["releases"].rejects.rows() == [("releases", 2, reason)]


def test_steps_of_a_rollout_are_rows_and_one_told_twice_counts_once(tmp_path: Path, product: Product) -> None:
    _write(
        tmp_path,
        "releases",
        "release,released_at,kind,share",
        "v1,2026-07-01,rollout,10",
        "v1,2026-07-05,rollout,50",
        "v1,2026-07-05,rollout,50",
        "v1,2026-07-05,rollout,60",
    )
    read = read_inputs(tmp_path, product)["releases"]
    assert read.rows["share"].to_list() == [0.1, 0.5]
    assert read.rejects.rows() == [
        ("releases", 5, "contradicts an earlier row of the same release and released_at and kind and segment")
    ]


def test_an_incident_is_detected_and_restored_after_it_started(tmp_path: Path, product: Product) -> None:
    _write(
        tmp_path,
        "incidents",
        "incident,started_at,detected_at,restored_at,release",
        "i1,2026-07-01T10:00,2026-07-01T10:20,,v1",
        "i2,2026-07-01T10:00,2026-07-01T09:00,,",
        "i3,2026-07-01T10:00,,2026-07-01T09:00,",
    )
    read = read_inputs(tmp_path, product)["incidents"]
    assert read.rows["incident"].to_list() == ["i1"]
    assert read.rejects.select("line", "reason").rows() == [
        (3, "detected_at is before started_at"),
        (4, "restored_at is before started_at"),
    ]


def _git(folder: Path, at: str, *arguments: str) -> None:
    surroundings = {
        **{f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "PATH": "/usr/bin:/bin:/usr/local/bin",
        "HOME": str(folder),
    }  # fmt: skip
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=surroundings)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    _git(folder, "2026-06-01T00:00:00Z", "init", "-q", "-b", "main")

    def commit(at: str) -> None:
        _git(folder, at, "commit", "-q", "--allow-empty", "-m", "Tell nobody")

    commit("2026-06-01T00:00:00Z")
    _git(folder, "2026-06-02T00:00:00Z", "tag", "-a", "v1", "-m", "one")
    for at in ("2026-06-03T00:00:00Z", "2026-06-04T00:00:00Z", "2026-06-09T00:00:00Z"):
        commit(at)
    _git(folder, "2026-06-10T00:00:00Z", "tag", "-a", "v2", "-m", "two")
    _git(folder, "2026-06-10T00:00:00Z", "tag", "-a", "other", "-m", "no release")
    _git(folder, "2026-06-11T00:00:00Z", "tag", "-a", "v4915112345678", "-m", "a number that calls somebody")
    return folder


def _asks_for(shop: Shop, text: str) -> None:
    shop.workspace.product_file.write_text(f"{PRODUCT}releases: {text}\n")


def test_tags_of_a_repository_are_releases_with_the_median_commit_and_its_number(
    shop: Shop, repository: Path
) -> None:
    _asks_for(shop, '{git: ../code, tags: "v*", tags_are: release}')
    derive_inputs(shop.workspace)
    rows = _releases(shop)
    assert [row[:2] for row in rows] == [("v1", datetime(2026, 6, 2)), ("v2", datetime(2026, 6, 10))]
    assert rows[1][3:5] == ("release", datetime(2026, 6, 4))
    assert (rows[0][4], rows[0][7], rows[1][7]) == (None, None, 3.0)
    assert input_counts(shop.workspace).rows() == [
        ("git tags", "name of the tag is no short plain name such as v1.4.0, or looks personal", 1, 3),
        ("releases", "used", 2, None),
    ]


def test_the_log_speaks_of_a_tag_and_the_repository_adds_what_it_does_not_say(
    shop: Shop, repository: Path
) -> None:
    _asks_for(shop, '{git: ../code, tags: "v?"}')
    _write(shop.workspace.inputs, "releases", "release,released_at,name", "v2,2026-06-12,Gifts")
    derive_inputs(shop.workspace)
    rows = {row[0]: row for row in _releases(shop)}
    assert rows["v2"][1:5] == (datetime(2026, 6, 11, 22), "Gifts", "release", datetime(2026, 6, 4))
    assert rows["v1"][3] == "deploy"


def test_another_tag_is_something_new_to_run_for(shop: Shop, repository: Path) -> None:
    _asks_for(shop, "{git: ../code}")
    derive_inputs(shop.workspace)
    before = definitions(shop.workspace)
    assert definitions(shop.workspace) == before
    _git(repository, "2026-06-20T00:00:00Z", "tag", "v3")
    assert definitions(shop.workspace) != before
    _asks_for(shop, "{}")
    derive_inputs(shop.workspace)
    assert not shop.workspace.repository_note.exists()


def test_what_git_cannot_read_is_a_named_error(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _asks_for(shop, "{git: ../nowhere}")
    with pytest.raises(InputError, match=r"tags of '../nowhere' .* there is no such folder"):
        derive_inputs(shop.workspace)
    (tmp_path / "plain").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    _asks_for(shop, "{git: ../plain}")
    with pytest.raises(InputError, match="cannot be read: it is no git repository"):
        derive_inputs(shop.workspace)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(InputError, match="there is no git on this machine"):
        derive_inputs(shop.workspace)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{tags: 'v*'}", "say whose tags: add git:"),
        ("{git: --upload-pack=x}", "takes for an option"),
        ("{features: {gifts: {title: Gifts, used: Gift Given}}}", "the tracking plan has no event 'Gift Given'"),
        ("{events: {x: {title: X, event: Signed Up, metrics: [buyin]}}}", r"no metric 'buyin' .did you mean 'buying'"),
        ("{events: {x: {title: X, event: Signed Up, feature: y}}}", "there is no feature 'y'; declared: none"),
    ],
)  # fmt: skip
def test_what_product_yml_says_of_releases_is_checked(text: str, says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        parse_product(f"{PRODUCT}releases: {text}\n", parse_plan(PLAN))


def _releases(shop: Shop) -> list[tuple[object, ...]]:
    import polars as pl

    return pl.read_parquet(shop.workspace.derived_inputs / "releases.parquet").rows()
