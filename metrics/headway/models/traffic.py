"""Whose traffic counts: the rules by which a team tells bots and its own traffic from people."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AfterValidator, StrictStr

from headway.models.yaml_file import Definition

MARKS = ("people", "bot", "internal")
"""What an event's traffic can be. Only the first counts unless asked otherwise."""

BROWSER_FAMILY = "$browser_family"
"""Source of an event's property that holds the browser's family, derived from the user agent."""

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_SHORTEST_AGENT = 3


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        # ipaddress says which part of the text is wrong; the file holds the team's own networks only
        raise ValueError(f"{error}; write a network such as 10.0.0.0/8 or 2001:db8::/32") from None
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a host name; write it in lower case without scheme, port and path, for example "
            "staging.example.com"
        )
    return text


def _agent(text: str) -> str:
    if len(text.strip()) < _SHORTEST_AGENT:
        raise ValueError(
            f"{text!r} would match nearly every user agent; write at least {_SHORTEST_AGENT} characters of it"
        )
    return text


Agents = tuple[Annotated[StrictStr, AfterValidator(_agent)], ...]


class InternalTraffic(Definition):
    """How the team's own traffic is known.

    Attributes:
        networks: Addresses it comes from.
        hosts: Hosts of the page address (property ``url``) on which only the team works.
        user_agents: Parts of user agents only the team uses, for example of a test suite.
    """

    networks: tuple[Annotated[StrictStr, AfterValidator(_network)], ...] = ()
    hosts: tuple[Annotated[StrictStr, AfterValidator(_host)], ...] = ()
    user_agents: Agents = ()

    def ranges(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Returns the networks, read."""
        return tuple(ip_network(each) for each in self.networks)


class Agented(Definition):
    """User agents by their parts; upper and lower case are the same.

    Attributes:
        user_agents: Parts of user agents.
    """

    user_agents: Agents = ()


class TrafficRules(Definition):
    """What the team knows about its traffic, on top of the lists of known bots.

    Attributes:
        internal: The team's own traffic; it wins over the other two.
        people: User agents that are people's although a list calls them bots.
        bots: User agents that are bots although no list knows them.

    Examples:
        >>> rules = TrafficRules.model_validate({"internal": {"networks": ["10.0.0.0/8"]}})
        >>> rules.internal.ranges()
        (IPv4Network('10.0.0.0/8'),)
    """

    internal: InternalTraffic = InternalTraffic()
    people: Agented = Agented()
    bots: Agented = Agented()
