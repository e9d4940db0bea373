-- What people did on each day: how often, and when first.
--
-- grain:  one row per person, local day and set of selectors that the same events match.
-- inputs: events(_person, _day, _us, perhaps _at, and columns of bits): the events metrics use.
-- params: first: the first instant, stamped with a profile too where events are.
--         marks: the columns of bits.
-- Metrics that ask whether, on which days, how often or when first somebody did something need nothing else.
SELECT
  _person,
  _day,
  $first,
  count(*) AS _n,
  $marks
FROM events
GROUP BY ALL
