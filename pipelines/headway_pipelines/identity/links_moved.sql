-- Links that say something new, and what was known of them before.
-- grain:  one row per new device, user and other id, or one whose times changed
-- inputs: fresh, near_before (both as gathered.sql makes them)
-- a device is NULL where a vendor's number of a person is marked as one
-- starts: whether anything but the last sighting changed
SELECT
    f.device, f.other, f.person_actor,
    b.known IS NULL
        OR least(f.first_at, b.first_at) IS DISTINCT FROM b.first_at
        OR greatest(f.logout_at, b.logout_at) IS DISTINCT FROM b.logout_at AS starts
FROM fresh f
LEFT JOIN (SELECT *, TRUE AS known FROM near_before) b
    ON b.device IS NOT DISTINCT FROM f.device
    AND b.other IS NOT DISTINCT FROM f.other
    AND b.person_actor IS NOT DISTINCT FROM f.person_actor
WHERE starts OR greatest(f.last_at, b.last_at) IS DISTINCT FROM b.last_at
