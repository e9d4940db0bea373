-- Identifiers that were given and are none, by what carried them.
-- grain:  one row per batch, outcome, event and kind of identifier
-- inputs: judged
SELECT batch, outcome, CASE outcome WHEN 'event' THEN event END AS event, kind, count(*) AS n
FROM (
    UNPIVOT (SELECT batch, outcome, event, no_user, no_device, no_other, no_account FROM judged WHERE no_user OR no_device OR no_other OR no_account)
    ON no_user AS 'user id', no_device AS 'device id', no_other AS 'other id', no_account AS 'account id'
    INTO NAME kind VALUE is_none
)
WHERE is_none AND outcome IN ('event', 'identify', 'group', 'alias', 'no usable id', 'alias without two ids')
GROUP BY ALL
ORDER BY ALL
