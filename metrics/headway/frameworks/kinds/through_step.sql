-- Where people stand after one step more, each of whom takes it as early as the step before allows.
--
-- grain:  one row per person who started.
-- inputs: standing(person, day, start_us, moment, us): when the person took the step before, null where never.
--         ev(person, us): events of this step, which are no other step's, so that at one instant any order counts.
-- params: closes: steps are taken before start + closes, in microseconds.
SELECT
  standing.person AS person,
  standing.day AS day,
  standing.start_us AS start_us,
  standing.moment AS moment,
  min(ev.us) AS us
FROM standing
LEFT JOIN ev ON ev.person = standing.person AND ev.us >= standing.us AND ev.us < standing.start_us + $closes
GROUP BY standing.person, standing.day, standing.start_us, standing.moment
