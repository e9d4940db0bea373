-- Numbers of those who have one already and still exist, and new numbers for the others.
-- grain:  one row per id
-- inputs: wanted(id), earlier(id, number), $next
SELECT id, number FROM earlier SEMI JOIN wanted USING (id)
UNION ALL
SELECT id, ($next + row_number() OVER (ORDER BY id) - 1)::UINTEGER FROM wanted ANTI JOIN earlier USING (id)
