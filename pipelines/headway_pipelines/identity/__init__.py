"""Who is who: users and devices (what a tracker saw) joined into people.

Everything here is derived from two things, and from nothing else: who did something, and the links that came out of the
gate. So the people are the same whatever order the logs came in, and a merge never rewrites an event. The steps, in
`mapping.map_people`:

1. alias calls join users (`aliases.sql`);
2. each device gets the people seen on it; shared devices are set aside (`seen.sql`, `shared.sql`);
3. log-outs cut a device's time into stretches, each like a device of its own (`stretches.sql`, `visits.sql`);
4. in the mode ``components`` people of one stretch are joined (`edges.sql`);
5. a stretch belongs to who was seen in it last (`owners.sql`).

None of this looks beyond what hangs together by links, so a run derives again only what hangs together with something
new (`affected`), by the same steps.
"""

from headway_pipelines.identity.actors import attach_actors
from headway_pipelines.identity.affected import find_affected
from headway_pipelines.identity.change import Change, compare
from headway_pipelines.identity.mapping import Found, map_affected, map_people

__all__ = ["Change", "Found", "attach_actors", "compare", "find_affected", "map_affected", "map_people"]
