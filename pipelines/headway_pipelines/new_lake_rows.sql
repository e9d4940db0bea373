-- Candidates without the copies that lose.
-- grain:  one row per event
-- inputs: candidates, ranked
SELECT /* columns */, CAST(occurred_at AS DATE) AS _day
FROM candidates c
WHERE NOT EXISTS (
    FROM ranked r
    WHERE NOT r.is_live AND r.rank > 1 AND r.file = c."from:file" AND r.file_row_number = c.file_row_number
)
