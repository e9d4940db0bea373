"""The story that was told to every server client before its requests were recorded, and how to find it again."""

from __future__ import annotations

from typing import Any

PAGES = """
  Page Viewed:
    properties:
      url: {class: url, hosts: [shop.example.com], paths: ["/", "/checkout"], query: [utm_source]}
"""
CALLS = """
  Product Viewed: {properties: {price: {class: number}}}
  Experiment Viewed: {properties: {variant: {class: enum, values: [test, control]}}}
  Signed Up: {}
  Product Added: {}
  Checkout Started: {}
  Order Completed: {properties: {revenue: {class: number}, order_id: {class: id, domain: order}}}
  Order Refunded: {properties: {revenue: {class: number}, order_id: {class: id, domain: order}}}
"""
COUNTS = {
    "Page Viewed": 6,
    "Product Viewed": 2,
    "Experiment Viewed": 2,
    "Signed Up": 2,
    "Product Added": 2,
    "Checkout Started": 2,
    "Order Completed": 1,
    "Order Refunded": 1,
}
IN_A_BROWSER = {name: n for name, n in COUNTS.items() if name != "Order Refunded"} | {"Order Completed": 2}
FUNNEL = ["Page Viewed", "Product Viewed", "Signed Up", "Checkout Started", "Order Completed"]
PERSONAL = (
    "@example",
    "%40",
    "203.0.113",
    "fixture",
    "Fixture",
    "user-100",
    "a1e0c0de",
    "202 555",
    "4242",
    "acme",
)


def counted(result: Any) -> dict[str, int]:
    """Events by name, each once however often it was sent."""
    return dict(result.rows("SELECT event, count(DISTINCT event_id) FROM events GROUP BY 1"))


def persons(result: Any) -> dict[object, str]:
    """Actor -> person, by joining devices and users one pair at a time."""
    actors = [actor for (actor,) in result.rows("SELECT DISTINCT actor FROM events")]
    group = {actor: {actor} for actor in actors}
    said = "SELECT device, person_actor FROM links UNION SELECT other, person_actor FROM links WHERE other IS NOT NULL"
    for device, user in result.rows(said):
        together = group.get(device, {device}) | group.get(user, {user})
        for actor in together:
            group[actor] = together
    return {actor: min(map(str, group[actor])) for actor in actors}


def people(result: Any, event: str = "%") -> int:
    """How many people did events of a name, or any."""
    person = persons(result)
    actors = result.rows(f"SELECT DISTINCT actor FROM events WHERE event LIKE '{event}'")
    return len({person[actor] for (actor,) in actors})


def people_per_step(result: Any, steps: list[str]) -> list[int]:
    """How many people did the first step, the first two, and so on, in whatever order."""
    person = persons(result)
    left, found = set(person.values()), []
    for step in steps:
        left &= {
            person[actor] for (actor,) in result.rows(f"SELECT actor FROM events WHERE event = '{step}'")
        }
        found.append(len(left))
    return found
