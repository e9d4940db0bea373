-- Where the first rejected lines of each batch are.
-- grain:  one row per rejected line, at most 20 a batch
-- inputs: judged
SELECT batch, line, position, outcome
FROM judged
WHERE outcome NOT IN ('event', 'identify', 'group', 'alias', 'blank', 'names nobody', 'of an erased person', 'past its retention', 'undeclared event')
    AND NOT starts_with(outcome, 'no consent: ')
QUALIFY row_number() OVER (PARTITION BY batch ORDER BY line) <= 20
ORDER BY batch, line
