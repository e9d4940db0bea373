-- The addresses of this group's events that may lie in a declared network, each once. In memory only.
-- grain:  one row per address
-- inputs: judged; $candidates
SELECT DISTINCT address FROM judged WHERE outcome = 'event' AND regexp_matches(address, $candidates)
