-- Invitations of a cohort within a time from their first start: sent, and accepted by whomever they were sent to.
--
-- grain:  one row per person who started and period that holds the start.
-- inputs: ev(person, us, line, tie, day, key, is_start, is_sent, is_accepted): key says which invitation.
--         periods(grain, day, start_day): the periods of each local day.
-- params: closes: invitations count from the start on, and before start + closes, in microseconds.
-- sent = invitations the person sent in the window; accepted = those of them that somebody accepted, also in the window.
-- An invitation is its first sender's, and is accepted once. Nobody accepts an invitation of their own.
WITH starts AS (
  SELECT person, min(us) AS start_us, arg_min(day, us) AS day
  FROM ev
  WHERE is_start
  GROUP BY person
),
invitations AS (
  SELECT key, arg_min(person, row(us, line, tie)) AS sender, min(us) AS sent_us
  FROM ev
  WHERE is_sent AND key IS NOT NULL
  GROUP BY key
),
accepted AS (
  SELECT invitations.key AS key, min(ev.us) AS accepted_us
  FROM invitations
  INNER JOIN ev ON ev.key = invitations.key
  WHERE ev.is_accepted AND ev.us >= invitations.sent_us AND ev.person <> invitations.sender
  GROUP BY invitations.key
),
counted AS (
  SELECT
    starts.person AS person,
    min(starts.day) AS day,
    min(starts.start_us) AS start_us,
    count(invitations.key) AS sent,
    count(accepted.key) AS accepted
  FROM starts
  LEFT JOIN invitations
    ON invitations.sender = starts.person
    AND invitations.sent_us >= starts.start_us
    AND invitations.sent_us < starts.start_us + $closes
  LEFT JOIN accepted
    ON accepted.key = invitations.key AND accepted.accepted_us < starts.start_us + $closes
  GROUP BY starts.person
)
SELECT
  counted.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  counted.start_us AS at_us,
  $top AS y,
  $bottom AS x
FROM counted
INNER JOIN periods ON periods.day = counted.day
