-- Whose a device is in each stretch of its time: who was seen there last.
-- grain:  one row per device and stretch in which somebody was seen
-- inputs: visits, heads(member, head)
-- the second key decides between people seen at the same instant, whatever order the links came in
SELECT device, stretch, arg_max(person, (happened_at, person)) AS person, max(happened_at) AS happened_at
FROM (
    SELECT device, stretch, coalesce(h.head, v.person) AS person, happened_at
    FROM visits v LEFT JOIN heads h ON h.member = v.person
)
GROUP BY device, stretch
