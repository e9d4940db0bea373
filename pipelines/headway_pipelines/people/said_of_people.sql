-- What was said of users and devices, with who they were then.
-- grain:  one row per statement
-- inputs: statements(subject, valid_from), actor_person(actor, person), device_spans(actor, valid_from, valid_to, person),
--         strangers(actor, valid_from, valid_to, person): the same of those who did nothing themselves
SELECT coalesce(d.person, p.person, n.person, s.subject) AS who, s.*
FROM statements s
LEFT JOIN actor_person p ON p.actor = s.subject
LEFT JOIN device_spans d
    ON d.actor = s.subject
    AND s.valid_from > coalesce(d.valid_from, '-infinity'::TIMESTAMP)
    AND s.valid_from <= coalesce(d.valid_to, 'infinity'::TIMESTAMP)
LEFT JOIN strangers n
    ON n.actor = s.subject
    AND s.valid_from > coalesce(n.valid_from, '-infinity'::TIMESTAMP)
    AND s.valid_from <= coalesce(n.valid_to, 'infinity'::TIMESTAMP)
