-- People of whom something is new, and the instant before which nothing is but their channel.
-- grain:  one row per person
-- inputs: news_actors(actor, since_us): may list an actor more than once
--         pairs_before, pairs_now(actor, person), spans_before, spans_now(actor, person)
--         said(person, since_us): of whom something else is said
--         before, now(person, first_seen_at, channel): the people
WITH owners AS (
    SELECT actor, person FROM pairs_before SEMI JOIN news_actors USING (actor)
    UNION
    SELECT actor, person FROM pairs_now SEMI JOIN news_actors USING (actor)
    UNION
    SELECT actor, person FROM spans_before SEMI JOIN news_actors USING (actor)
    UNION
    SELECT actor, person FROM spans_now SEMI JOIN news_actors USING (actor)
),
touched AS (
    SELECT owners.person, news_actors.since_us FROM owners JOIN news_actors USING (actor)
    UNION ALL
    SELECT person, since_us FROM said
)
SELECT
    touched.person,
    min(CASE
        WHEN before.channel IS DISTINCT FROM now.channel
            THEN least(touched.since_us, epoch_us(before.first_seen_at), epoch_us(now.first_seen_at))
        ELSE touched.since_us
    END) AS since_us
FROM touched
LEFT JOIN before ON before.person = touched.person
LEFT JOIN now ON now.person = touched.person
WHERE touched.person IS NOT NULL
GROUP BY touched.person
