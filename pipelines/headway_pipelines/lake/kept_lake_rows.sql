-- Rows of a lake day that must be written again because a better copy of some of its events arrived.
-- grain:  one row per event
-- inputs: lake, ranked; $start, $after: the day's first instant and that of the next
SELECT /* columns */
FROM lake l
WHERE occurred_at >= $start AND occurred_at < $after
    AND NOT EXISTS (
        FROM ranked r
        WHERE r.occurred_at >= $start AND r.occurred_at < $after AND r.is_live AND r.rank > 1 AND r.event_id = l.event_id
    )
