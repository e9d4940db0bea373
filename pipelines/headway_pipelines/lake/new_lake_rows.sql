-- Candidates of some UTC days without the copies that lose.
-- grain:  one row per event
-- inputs: in_order (candidates), ranked; $start, $after: the first day's first instant and that of the day after the last
SELECT /* columns */
FROM in_order c
WHERE occurred_at >= $start AND occurred_at < $after AND NOT EXISTS (
    FROM ranked r
    -- of these days only: what is held in memory grows with them, not with all that came in
    WHERE r.occurred_at >= $start AND r.occurred_at < $after
        AND NOT r.is_live AND r.rank > 1 AND r.file = c."from:file" AND r.file_row_number = c.file_row_number
)
