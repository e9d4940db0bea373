-- What Great Expectations judges about staged batches: counts only, no value of any event.
-- grain:  one row per batch
-- inputs: staged (rows of staged groups),
--         ledger_counts(batch, lines, events, rejected_lines, misfit_values, unaccounted_lines),
--         suspicious: whether a row holds one of the texts in which the detector saw something personal
WITH counted AS (
    SELECT
        batch,
        count(*) AS events,
        count(*) FILTER (event_id IS NULL) AS events_without_id,
        count(*) FILTER (actor IS NULL) AS events_without_actor,
        count(*) FILTER (occurred_at IS NULL) AS events_without_time,
        count(*) FILTER (event NOT IN $declared) AS undeclared_events,
        count(*) FILTER (/* suspicious */) AS personal_looking_values
    FROM staged
    GROUP BY batch
)
SELECT
    c.batch,
    c.lines,
    c.rejected_lines / nullif(c.lines, 0) AS rejected_share,
    c.unaccounted_lines,
    -- A handful of values in a small file is no sign of a broken export: they are dropped and counted, the rest is fine.
    CASE WHEN c.misfit_values > 5 THEN c.misfit_values / nullif(c.events, 0) ELSE 0.0 END AS misfits_per_event,
    abs(c.events - coalesce(s.events, 0)) AS miscounted_events,
    coalesce(s.events_without_id, 0) AS events_without_id,
    coalesce(s.events_without_actor, 0) AS events_without_actor,
    coalesce(s.events_without_time, 0) AS events_without_time,
    coalesce(s.undeclared_events, 0) AS undeclared_events,
    coalesce(s.personal_looking_values, 0) AS personal_looking_values
FROM ledger_counts c
LEFT JOIN counted s USING (batch)
ORDER BY c.batch
