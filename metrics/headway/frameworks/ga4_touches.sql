-- Touches by the default channels of Google Analytics 4: what each says of where its person came from.
--
-- grain:  one row per event that carries a source, a medium, a campaign or a referrer.
-- inputs: marked(person, occurred_at, _line, _tie, utm_source, utm_medium, utm_campaign, referrer), texts as they came.
--         sites(name, kind): brands without a dot, hosts with one; kind = search, shopping, video, social.
-- source: https://support.google.com/analytics/answer/9756891 (the rules, in this order)
-- A referrer stands in where a link carries no source and no medium of its own: the medium of such a visit is referral.
WITH plain AS (
  SELECT
    person, occurred_at, _line, _tie,
    nullif(lower(trim(utm_source)), '') AS own_source,
    nullif(lower(trim(utm_medium)), '') AS own_medium,
    nullif(lower(trim(utm_campaign)), '') AS campaign,
    own_source IS NULL AND own_medium IS NULL AND referrer <> '' AS referred,
    CASE WHEN referred THEN lower(regexp_replace(trim(referrer), '^www[.]', '')) ELSE own_source END AS source,
    CASE WHEN referred THEN 'referral' ELSE own_medium END AS medium
  FROM marked
),
-- A source is itself, each host above it, and its brand: the label before what a registry sells.
called AS (
  SELECT
    source,
    [source]
    || list_transform(range(2, len(labels)), lambda n: array_to_string(labels[n:], '.'))
    || [regexp_extract(source, '(?:^|[.])([a-z0-9-]+)[.](?:(?:com?|org|net|ne|or|ac|go|gov|edu)[.])?[a-z]{2,}$', 1)] AS names
  FROM (SELECT DISTINCT source, string_split(source, '.') AS labels FROM plain WHERE source IS NOT NULL)
),
known AS (
  SELECT c.source, arg_min(s.kind, c.place) AS kind
  FROM (SELECT source, unnest(names) AS name, unnest(range(len(names))) AS place FROM called) AS c
  JOIN sites AS s ON s.name = c.name
  GROUP BY c.source
),
judged AS (
  SELECT
    plain.*,
    coalesce(kind, '') AS kind,
    coalesce(regexp_full_match(medium, '.*cp.*|ppc|retargeting|paid.*'), FALSE) AS paid,
    coalesce(kind = 'shopping', FALSE) OR coalesce(regexp_matches(campaign, '([^a-df-z]|^)shop|shopping'), FALSE) AS shopping
  FROM plain
  LEFT JOIN known ON known.source = plain.source
)
SELECT
  person, occurred_at, _line, _tie,
  CASE
    WHEN source IS NULL AND medium IS NULL AND campaign IS NULL THEN 'direct'
    WHEN source = '(direct)' AND medium IN ('(none)', '(not set)') THEN 'direct'
    WHEN campaign LIKE '%cross-network%' THEN 'cross_network'
    WHEN paid AND shopping THEN 'paid_shopping'
    WHEN paid AND kind = 'search' THEN 'paid_search'
    WHEN paid AND kind = 'social' THEN 'paid_social'
    WHEN paid AND kind = 'video' THEN 'paid_video'
    WHEN medium IN ('display', 'banner', 'expandable', 'interstitial', 'cpm') THEN 'display'
    WHEN paid THEN 'paid_other'
    WHEN shopping THEN 'organic_shopping'
    WHEN kind = 'social' OR medium IN ('social', 'social-network', 'social-media', 'sm', 'social network', 'social media') THEN 'organic_social'
    WHEN kind = 'video' OR medium LIKE '%video%' THEN 'organic_video'
    WHEN kind = 'search' OR medium = 'organic' THEN 'organic_search'
    WHEN medium IN ('referral', 'app', 'link') THEN 'referral'
    WHEN regexp_full_match(source, 'e[-_ ]?mail') OR regexp_full_match(medium, 'e[-_ ]?mail') THEN 'email'
    WHEN medium IN ('affiliate', 'affiliates') THEN 'affiliates'
    WHEN medium = 'audio' THEN 'audio'
    WHEN source = 'sms' OR medium = 'sms' THEN 'sms'
    WHEN source = 'firebase' OR regexp_matches(medium, 'push$|mobile|notification') THEN 'push'
    ELSE 'unassigned'
  END AS channel
FROM judged
