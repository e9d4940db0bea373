-- Rows with named fields as events of the common shape, as the mapping in sources.yml says.
-- grain:  one row per row given
-- inputs: given(batch, line, position, outcome, content, fields)
-- slots:  each /* slot */ is an expression over fields
SELECT
    batch, line, position,
    /* outcome */ AS outcome,
    /* event */ AS event,
    /* user */ AS user_raw,
    /* device */ AS device_raw,
    /* account */ AS account_raw,
    /* id */ AS message_id,
    content,
    /* time */ AS occurred_at,
    /* time */ AS client_at,
    /* received */ AS received_at,
    /* properties */ AS properties,
    /* names */ AS property_names,
    /* texts */ AS property_texts,
    /* traits */ AS traits,
    /* agent */ AS user_agent,
    /* address */ AS address
FROM given
