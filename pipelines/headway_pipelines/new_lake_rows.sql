-- Candidates without the copies that lose.
-- grain:  one row per event
-- inputs: candidates, ranked
SELECT /* columns */, CAST(occurred_at AS DATE) AS day
FROM candidates c
WHERE NOT EXISTS (
    FROM ranked r
    WHERE NOT r.live AND r.rank > 1 AND r.filename = c.filename AND r.file_row_number = c.file_row_number
)
