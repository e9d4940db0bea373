-- People who did something for an account of which something else is said, and since when.
-- grain:  one row per person
-- inputs: events(person, account, occurred_at); accounts(who, since_us)
-- params: since: the earliest of these instants, so that older events need not be looked at
SELECT events.person, min(epoch_us(events.occurred_at)) AS since_us
FROM (SELECT person, account, occurred_at FROM events WHERE occurred_at >= make_timestamp($since)) AS events
JOIN accounts ON accounts.who = events.account
WHERE epoch_us(events.occurred_at) >= accounts.since_us
GROUP BY events.person
