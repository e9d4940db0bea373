-- How people come, stay, leave and come back in some periods, where older activity is known by its first instant alone.
--
-- grain:  one row per person, period and move that the person makes in it.
-- inputs: moves(person, grain, start_day, at_us, move): as lifecycle_moves.sql finds them in the events that were read, among
--         them all of the periods looked at and of those before.
--         firsts(person, us): when each person was active first.
--         wanted(grain, start_day): the periods looked at.
-- params: origin, width: at_us = (us - origin) * width and something less than width.
-- Who seems new and was active before came back: the period before was read.
SELECT moves.* REPLACE (CASE WHEN moves.move = 'new' AND firsts.person IS NULL THEN 'resurrected' ELSE moves.move END AS move)
FROM moves
SEMI JOIN wanted ON wanted.grain = moves.grain AND wanted.start_day = moves.start_day
LEFT JOIN firsts ON firsts.person = moves.person AND firsts.us = moves.at_us // $width + $origin
