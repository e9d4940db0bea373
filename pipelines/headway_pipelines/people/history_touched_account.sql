-- Accounts of whose properties something may be new.
-- grain:  one row per account
-- inputs: fresh(actor): of which something new is said
SELECT actor AS account FROM fresh
