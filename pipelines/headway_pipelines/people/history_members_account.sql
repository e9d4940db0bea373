-- Accounts whose history is put together again, under the name that statements join on.
-- grain:  one row per account
-- inputs: history_touched(account)
SELECT account AS actor FROM history_touched
