-- Starts that are their person's first, ever.
--
-- grain:  one row per row of started that is at the instant of the person's first start.
-- inputs: started(person, us): starts, of which earlier ones may be missing.
--         firsts(person, us): when each person started first.
SELECT started.*
FROM started
SEMI JOIN firsts ON firsts.person = started.person AND firsts.us = started.us
