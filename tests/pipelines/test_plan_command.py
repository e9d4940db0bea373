"""`headway plan`: a table a product manager can read, small groups hidden, mistakes named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from planted import Computed
from shop import Shop

import headway as hw
from headway.errors import InputError
from headway_pipelines.warehouse import planning
from headway_pipelines.warehouse.planning import Wanted, plan_lines

PLAN = """
version: 1
product: shop
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  Signed Up:
  Order Completed:
  Ticket Opened:
  Cart Seen:
    properties:
      variant: {class: enum, values: [old, new]}
"""
EXPERIMENTS = """
cart:
  title: The new cart
  hypothesis: Fewer steps, more orders.
  exposure: {event: Cart Seen}
  variants: {old: 0.5, new: 0.5}
  start: 2026-03-09
  end: 2026-03-22
  window: 7d
  primary: [buying]
  guardrails:
    - outcome: {name: tickets, title: People with a ticket, of: Ticket Opened, within: 7d, direction: down}
      margin: 0.25
  eligible: Signed Up
  decision: {minimum_units: 5000, worthwhile: 0.1}
"""


def log_of(people: int, *, tickets: int) -> hw.EventLog:
    """People who sign up over thirty days; every third buys, some open a ticket."""
    start = datetime(2026, 3, 2, 9)
    rows: list[tuple[str, str, datetime]] = []
    for n in range(people):
        at = start + timedelta(days=30 * n / people)
        rows.append((f"u{n}", "Signed Up", at))
        rows += [(f"u{n}", "Order Completed", at + timedelta(hours=5))] if n % 3 == 0 else []
        rows += [(f"u{n}", "Ticket Opened", at + timedelta(hours=9))] if n < tickets else []
    frame = pl.DataFrame(rows, schema=["person", "event", "occurred_at"], orient="row")
    return hw.EventLog(frame, horizon=start + timedelta(days=60))


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    made = Shop(tmp_path / "shop", plan=PLAN)
    product = made.workspace.product_file.read_text(encoding="utf-8")
    lines = [line for line in product.splitlines() if "channels" not in line and "utm" not in line]
    made.workspace.product_file.write_text(
        "\n".join(lines).replace("Page Viewed", "Signed Up"), encoding="utf-8"
    )
    (made.root / "experiments").mkdir()
    (made.root / "experiments" / "carts.yml").write_text(EXPERIMENTS, encoding="utf-8")

    def lines_of(name: str, people: int = 900, tickets: int = 90, **options: Any) -> list[str]:
        monkeypatch.setattr(planning, "open_log", lambda _: log_of(people, tickets=tickets))
        return list(plan_lines(made.workspace, name, Wanted(**options)))

    return lines_of


def test_an_experiment_in_a_table(told: Callable[..., list[str]]) -> None:
    text = "\n".join(told("cart"))
    assert (
        "The new cart" in text
        and "900 people have their window after 'Signed Up' behind them; 30 meet it" in text
    )
    (buying,) = [line for line in text.splitlines() if line.startswith("Sign-ups that buy")]
    assert buying.split()[3:6] == ["decides", "33.3", "%"] and buying.endswith("for 10 %")
    assert "0.222" in buying
    assert "ship: a metric that decides is surely better, none is worse, every guardrail holds" in text
    assert "or 10 % is no longer possible" in text and "at least 5,000 units an arm" in text
    assert "2026-03-09 to 2026-03-22, 14 days of exposures" in text
    assert "an arm will not have 5,000 units by then" in text
    assert "weeks show that it holds within 25 %; before, nothing ships" in text


def test_a_file_of_experiments_and_a_metric_are_planned_too(told: Callable[..., list[str]]) -> None:
    assert told("experiments/carts.yml") == told("cart")
    lines = told("buying", weeks=(1, 3), effect=0.2)
    assert lines[0].startswith("buying") and lines[0].endswith("Sign-ups that buy")
    assert "1 week  3 weeks" in lines[2] and lines[3].endswith("for 20 %")
    assert not any("declared" in line for line in lines)


def test_what_few_people_did_has_no_numbers(told: Callable[..., list[str]]) -> None:
    lines = told("cart", tickets=4)
    (row,) = [line for line in lines if line.startswith("People with a ticket")]
    assert row.split() == ["People", "with", "a", "ticket", "guardrail"]
    assert any("People with a ticket: hidden, because fewer than 10 people" in line for line in lines)
    assert not any("0.4 %" in line or "0.00" in line for line in lines)
    few = "\n".join(told("buying", people=8))
    assert (
        "fewer than 10 people have their window" in few
        and "8 people" not in few
        and "%" not in few.split("found")[0]
    )


def test_random_splits_are_counted_for_what_is_not_hidden(told: Callable[..., list[str]]) -> None:
    lines = told("cart", tickets=4, aa=True)
    (split,) = [line for line in lines if line.startswith("split at random")]
    assert "buying: 900 units split at random 500 times" in split


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("buyng", {}, "unknown experiment or metric 'buyng'. Did you mean 'buying'"),
        ("cart", {"after": "Signed In"}, "unknown event 'Signed In'. Did you mean 'Signed Up'"),
        ("cart", {"effect": -0.1}, "effect is relative"),
        ("cart", {"power": 1.5}, "power is a probability"),
        ("cart", {"weeks": (0,)}, "weeks are whole numbers"),
        ("new_people", {}, "kind"),
    ],
)
def test_mistakes_are_named(
    told: Callable[..., list[str]], name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as error:
        told(name, **options)
    assert message in str(error.value)


def test_the_demos_editor_is_planned_from_the_command_line(
    usual: Computed, headway: Callable[..., Any], key_outside_the_workspace: Path
) -> None:
    done = headway("plan", "video_editor", "-w", str(usual.root), key_file=key_outside_the_workspace)
    assert done.returncode == 0, done.stderr
    assert "The new video editor" in done.stdout and "weeks needed" in done.stdout
    wrong = headway("plan", "video_edtor", "-w", str(usual.root), key_file=key_outside_the_workspace)
    assert wrong.returncode == 2 and "Did you mean 'video_editor'" in wrong.stderr
