-- Rows of lake days that must be written again because a better copy of some of their events arrived.
-- grain:  one row per event
-- inputs: lake, ranked
SELECT /* columns */, CAST(occurred_at AS DATE) AS _day
FROM lake l
WHERE CAST(occurred_at AS DATE)::VARCHAR IN /* days */
    AND NOT EXISTS (FROM ranked r WHERE r.is_live AND r.rank > 1 AND r.event_id = l.event_id)
