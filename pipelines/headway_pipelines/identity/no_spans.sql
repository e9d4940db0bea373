-- Whose a device was when, where nothing changes hands.
-- grain:  one row per device and stretch: none
-- inputs: none
SELECT NULL::UUID AS actor, NULL::TIMESTAMP AS valid_from, NULL::TIMESTAMP AS valid_to, NULL::UUID AS person LIMIT 0
