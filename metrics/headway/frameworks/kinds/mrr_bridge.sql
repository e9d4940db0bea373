-- Monthly recurring revenue of each account, and how it changed since the month before.
--
-- grain:  one row per account and month, from its first on.
-- inputs: ev(person, us, line, tie, day, key, mrr): events that say what an account pays a month from then on, 0 where it
--         ended; key says which account.
--         periods(grain, day, start_day): the months of each local day.
-- An account is the person's whose event said first what it pays, and counts under that person's segments as of the first
-- such event of any account of the person: they never change, so that the bridge adds up in every segment.
-- closing = the latest said up to the month's end, opening = that of the month before, paid_before = whether the account
-- ever paid before the month, be it for a day. For every account and month:
-- opening + new + reactivation + expansion - contraction - churned = closing.
WITH months AS (
  SELECT start_day, row_number() OVER (ORDER BY start_day) AS number
  FROM (SELECT DISTINCT start_day FROM periods WHERE grain = 'month') AS distinct_months
),
told AS (
  SELECT
    ev.key AS key,
    months.number AS number,
    arg_min(ev.person, row(ev.us, ev.line, ev.tie)) AS person,
    min(ev.us) AS at_us,
    max(ev.mrr) AS highest,
    arg_max(ev.mrr, row(ev.us, ev.line, ev.tie)) AS closing
  FROM ev
  INNER JOIN periods ON periods.day = ev.day AND periods.grain = 'month'
  INNER JOIN months ON months.start_day = periods.start_day
  WHERE ev.key IS NOT NULL AND ev.mrr IS NOT NULL
  GROUP BY ev.key, months.number
),
accounts AS (
  SELECT key, arg_min(person, number) AS person, min(at_us) AS at_us, min(number) AS first_number
  FROM told
  GROUP BY key
),
owned AS (
  SELECT key, person, min(at_us) OVER (PARTITION BY person) AS at_us, first_number
  FROM accounts
),
states AS (
  SELECT
    owned.person AS person,
    owned.at_us AS at_us,
    months.number AS number,
    months.start_day AS start_day,
    owned.key AS key,
    told.highest AS highest,
    -- what was said last holds until something else is said
    last_value(told.closing IGNORE NULLS) OVER (PARTITION BY owned.key ORDER BY months.number) AS closing
  FROM owned
  INNER JOIN months ON months.number >= owned.first_number
  LEFT JOIN told ON told.key = owned.key AND told.number = months.number
),
bridge AS (
  SELECT
    *,
    coalesce(lag(closing) OVER (PARTITION BY key ORDER BY number), 0) AS opening,
    coalesce(
      max(highest) OVER (PARTITION BY key ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
    ) > 0 AS paid_before
  FROM states
)
SELECT
  *,
  0 AS nothing,
  CASE WHEN opening = 0 AND NOT paid_before THEN closing ELSE 0 END AS new,
  CASE WHEN opening = 0 AND paid_before THEN closing ELSE 0 END AS reactivation,
  CASE WHEN opening > 0 AND closing > opening THEN closing - opening ELSE 0 END AS expansion,
  CASE WHEN closing > 0 AND closing < opening THEN opening - closing ELSE 0 END AS contraction,
  CASE WHEN closing = 0 THEN opening ELSE 0 END AS churned,
  CASE WHEN opening > 0 THEN closing ELSE 0 END AS kept,
  CASE WHEN closing < opening THEN closing ELSE opening END AS kept_at_most
FROM bridge
