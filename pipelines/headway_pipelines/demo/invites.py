"""Which invite brought whom: accepted invites get the number of one that somebody sent before."""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.clock import DAY, MINUTE, SECOND, Ints
from headway_pipelines.demo.people import People, flatten
from headway_pipelines.demo.rows import ROW, Kind, RowArray
from headway_pipelines.demo.world import BLOCK, World

#: Numbers of invites from here on are older than the log.
OLDER = 2**30
#: Mean number of further invites sent together with one.
_MORE = 1.6
_MEDIAN_WAIT = 2 * DAY


def link_invites(world: World, people: People, rows: RowArray, rng: np.random.Generator) -> RowArray:
    """Numbers invites, sends some more along with each, and says which were accepted.

    Somebody who signed up by an invite accepts, of those sent before their first visit and not accepted yet, the one
    sent closest to a waiting time drawn for them; where there is none, one that is older than the log.

    Args:
        world: The world.
        people: The block.
        rows: The block's rows by time; their invites are numbered in place.
        rng: The stream of invites.

    Returns:
        The further invites.
    """
    first = int(people.person[0]) // BLOCK * 2**17 if len(people) else 0
    sent = rows[rows["kind"] == Kind.INVITE_SENT]
    group, place = flatten(rng.poisson(_MORE, len(sent)))
    more = sent[group]
    more["ts"] += (1 + place) * 40 * SECOND + rng.integers(0, 30 * SECOND, len(more))
    more["c"] = rng.integers(0, 2, len(more))
    rows["a"][rows["kind"] == Kind.INVITE_SENT] = first + np.arange(len(sent))
    more["a"] = first + len(sent) + np.arange(len(more))
    sent = np.concatenate([rows[rows["kind"] == Kind.INVITE_SENT], more])
    sent = sent[np.argsort(sent["ts"], kind="stable")]
    accepted = np.flatnonzero(rows["kind"] == Kind.INVITE_ACCEPTED)
    arrival = people.arrival[rows["person"][accepted].astype(np.int64) - int(people.person[0])]
    wait = (_MEDIAN_WAIT * rng.lognormal(0, 1.0, len(accepted))).astype(np.int64)
    rows["a"][accepted] = _matched(sent, rows["person"][accepted], arrival, wait, OLDER + first)
    return more if len(more) else np.zeros(0, ROW)


def _matched(sent: RowArray, person: Ints, arrival: Ints, wait: Ints, older: int) -> Ints:
    """The invite each accepted; nobody accepts their own, and each is accepted at most once."""
    when, sender = sent["ts"], sent["person"]
    free = np.ones(len(sent), bool)
    out = older + np.arange(len(person))
    for i in np.argsort(arrival, kind="stable"):
        known = int(np.searchsorted(when, arrival[i] - 5 * MINUTE))
        fit = free[:known] & (sender[:known] != person[i]) & (when[:known] > arrival[i] - 21 * DAY)
        options = np.flatnonzero(fit)
        if len(options):
            best = options[np.argmin(np.abs(arrival[i] - wait[i] - when[options]))]
            free[best] = False
            out[i] = sent["a"][best]
    return out
