-- Recorded HTTP requests of Snowplow trackers (POST /com.snowplowanalytics.snowplow/tp2, GET /i), still in envelopes.
-- grain:  one row per event of an accepted request; one row per request that was refused or cannot be read
-- inputs: requests(batch, line, position, text, request, final, received_at), see requests.sql and REQUEST in snowplow.py
-- output: the input `given` of snowplow_json.sql
-- source: https://docs.snowplow.io/docs/fundamentals/canonical-event/ (names of the parameters)
-- Parameters are texts: times are milliseconds, JSON is plain (ue_pr, co) or base64 with the alphabet of URLs (ue_px, cx).
WITH judged AS (
    SELECT
        *,
        CASE
            WHEN final IS NOT NULL THEN final
            WHEN request.body.data IS NOT NULL THEN
                CASE WHEN len(request.body.data) = 0 THEN 'empty request' ELSE 'events' END
            WHEN request.query.e IS NOT NULL THEN 'events'
            ELSE 'not a tracker request'
        END AS request_outcome
    FROM requests
),
events AS (
    SELECT
        batch, line, position, received_at, request_outcome, request,
        unnest(CASE
            WHEN request_outcome <> 'events' THEN [NULL::JSON]
            WHEN request.body.data IS NOT NULL THEN request.body.data
            ELSE [json_extract(text, '$.query')]
        END) AS event
    FROM judged
),
parsed AS (
    SELECT
        *,
        CASE WHEN json_type(event) = 'OBJECT' THEN from_json(event, '{
            "e": "VARCHAR", "eid": "VARCHAR", "uid": "VARCHAR", "duid": "VARCHAR", "nuid": "VARCHAR", "tnuid": "VARCHAR",
            "sid": "VARCHAR", "vid": "VARCHAR", "dtm": "VARCHAR", "stm": "VARCHAR", "ttm": "VARCHAR",
            "aid": "VARCHAR", "p": "VARCHAR", "url": "VARCHAR", "page": "VARCHAR", "refr": "VARCHAR", "ua": "VARCHAR", "ip": "VARCHAR",
            "ue_pr": "VARCHAR", "ue_px": "VARCHAR", "co": "VARCHAR", "cx": "VARCHAR",
            "se_ca": "VARCHAR", "se_ac": "VARCHAR", "se_la": "VARCHAR", "se_pr": "VARCHAR", "se_va": "VARCHAR",
            "tr_id": "VARCHAR", "tr_af": "VARCHAR", "tr_tt": "VARCHAR", "tr_tx": "VARCHAR", "tr_sh": "VARCHAR",
            "tr_ci": "VARCHAR", "tr_st": "VARCHAR", "tr_co": "VARCHAR", "tr_cu": "VARCHAR",
            "ti_id": "VARCHAR", "ti_sk": "VARCHAR", "ti_nm": "VARCHAR", "ti_ca": "VARCHAR", "ti_pr": "VARCHAR", "ti_qu": "VARCHAR",
            "ti_cu": "VARCHAR",
            "pp_mix": "VARCHAR", "pp_max": "VARCHAR", "pp_miy": "VARCHAR", "pp_may": "VARCHAR"}') END AS j
    FROM events
),
decoded AS (
    SELECT
        *,
        -- padding may be left out
        replace(translate(rtrim(j.ue_px, '='), '-_', '+/'), ' ', '+') AS ue_text,
        replace(translate(rtrim(j.cx, '='), '-_', '+/'), ' ', '+') AS cx_text,
        coalesce(nullif(j.ue_pr, ''), TRY(decode(from_base64(rpad(ue_text, CAST(ceil(len(ue_text) / 4) * 4 AS INTEGER), '='))))) AS own,
        coalesce(nullif(j.co, ''), TRY(decode(from_base64(rpad(cx_text, CAST(ceil(len(cx_text) / 4) * 4 AS INTEGER), '='))))) AS attached
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN request_outcome <> 'events' THEN request_outcome
        WHEN j IS NULL THEN 'not a JSON object'
        WHEN (j.ue_px <> '' AND own IS NULL) OR (j.cx <> '' AND attached IS NULL) THEN 'malformed base64'
        ELSE 'event'
    END AS outcome,
    CAST(event AS VARCHAR) AS content,
    CASE j.e
        WHEN 'pv' THEN 'page_view' WHEN 'pp' THEN 'page_ping' WHEN 'se' THEN 'struct' WHEN 'ue' THEN 'unstruct'
        WHEN 'tr' THEN 'transaction' WHEN 'ti' THEN 'transaction_item' END AS event,
    NULL::VARCHAR AS event_name,
    j.uid AS user_id,
    j.duid AS domain_userid,
    coalesce(j.tnuid, j.nuid) AS network_userid,
    j.sid AS domain_sessionid,
    j.eid AS event_id,
    TRY(make_timestamp_ms(TRY_CAST(j.ttm AS BIGINT))) AS true_tstamp,
    NULL::TIMESTAMP AS derived_tstamp,
    TRY(make_timestamp_ms(TRY_CAST(j.dtm AS BIGINT))) AS dvce_created_tstamp,
    TRY(make_timestamp_ms(TRY_CAST(j.stm AS BIGINT))) AS dvce_sent_tstamp,
    received_at AS collector_tstamp,
    -- a server's own HTTP library is nobody's browser
    coalesce(nullif(j.ua, ''), CASE j.p WHEN 'web' THEN request.headers."user-agent" END) AS user_agent,
    nullif(j.ip, '') AS address,
    [
        ('url', j.url), ('title', j.page), ('referrer', j.refr), ('app_id', j.aid), ('platform', j.p),
        ('domain_sessionidx', j.vid), ('se_category', j.se_ca), ('se_action', j.se_ac), ('se_label', j.se_la),
        ('se_property', j.se_pr), ('se_value', j.se_va), ('tr_orderid', j.tr_id), ('tr_affiliation', j.tr_af),
        ('tr_total', j.tr_tt), ('tr_tax', j.tr_tx), ('tr_shipping', j.tr_sh), ('tr_city', j.tr_ci),
        ('tr_state', j.tr_st), ('tr_country', j.tr_co), ('tr_currency', j.tr_cu), ('ti_orderid', j.ti_id),
        ('ti_sku', j.ti_sk), ('ti_name', j.ti_nm), ('ti_category', j.ti_ca), ('ti_price', j.ti_pr),
        ('ti_quantity', j.ti_qu), ('ti_currency', j.ti_cu), ('pp_xoffset_min', j.pp_mix), ('pp_xoffset_max', j.pp_max),
        ('pp_yoffset_min', j.pp_miy), ('pp_yoffset_max', j.pp_may)
    ] AS atomic,
    j.se_ca AS se_category,
    j.se_ac AS se_action,
    own AS unstruct_event,
    attached AS contexts,
    NULL::VARCHAR AS derived_contexts
FROM decoded
