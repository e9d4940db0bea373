-- Grain: one row per person with an attempt.
-- Inputs: chosen, matched, instants, counts.
-- Meaning: the reported attempt with the breakdown value of the event it starts at. Of several events of that
--   instant it is the last in the log that can fill step 1 and still leave the others enough events.
SELECT
  chosen.*,
  first_event.touch
FROM chosen
INNER JOIN (
  SELECT
    matched.person,
    matched.us,
    max(struct_pack(seq := matched.seq, touch := matched.touch)).touch AS touch
  FROM matched
  INNER JOIN instants ON instants.person = matched.person AND instants.us = matched.us
  INNER JOIN counts ON counts.person = matched.person AND counts.us = matched.us
  WHERE matched.s1 AND NOT ($needed)
  GROUP BY matched.person, matched.us
) AS first_event ON first_event.person = chosen.person AND first_event.us = chosen.t1
