-- The user agents of this group's events, each once. In memory only; nothing here leaves the privacy package.
-- grain:  one row per user agent
-- inputs: judged
SELECT DISTINCT user_agent FROM judged WHERE outcome = 'event' AND user_agent IS NOT NULL
