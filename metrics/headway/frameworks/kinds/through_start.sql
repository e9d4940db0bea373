-- Where people stand who have started and taken no step yet.
--
-- grain:  one row per person who started.
-- inputs: started(person, us, moment, day): starts of a day, the first of them at us (moment: the same, perhaps stamped).
SELECT
  person,
  arg_min(day, us) AS day,
  min(us) AS start_us,
  min(moment) AS moment,
  min(us) AS us
FROM started
GROUP BY person
