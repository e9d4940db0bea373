r"""Reading exports: one small module per format, each turning framed rows into one event shape.

A `shape.Source` is two things: a reader (how files are cut into rows) and one SELECT over ``frames`` that yields the
columns of `shape.SHAPE`. Nothing else: the gate frames, judges, hashes, counts and drops. Most exports need no code at
all, only a mapping in ``sources.yml`` (`config`).

Write your own source
---------------------
1. Choose a reader. ``Reader()`` gives ``frames(batch, line, position, text)``, one row a line, newline included.
   ``Reader("delimited", ";")`` and ``Reader("parquet")`` give ``frames(batch, line, position, record, fields)``, where
   ``fields`` is a MAP from column name to text without the empty ones; ``Reader("table")`` takes either kind
   of file; where the columns are known, `shape.Reader.parts` is faster. Name the columns you cannot do without in
   ``required``: a file that lacks one is set aside with a note, not
   half read.
2. Write the SELECT into a ``.sql`` file beside a small module, with its grain and inputs on top:

   - every row of ``frames`` yields at least one row, with its `batch`, `line` and `position`: nothing disappears. A row
     that is no event says why in `outcome`, in words without any of its values (``'not an order'``); an empty one
     says ``'blank'``. The gate refuses a source that loses rows.
   - every other column of `shape.SHAPE` is optional: yield those the export knows, the rest is NULL.
   - `user_raw`, `device_raw`, `account_raw`: identifiers as they are; the gate turns them into surrogates. A device is
     whatever stands for one unidentified person: a cookie, an installation.
   - `message_id` is the tracker's own id of the event. Without one leave it NULL and give the whole row as `content`.
   - `occurred_at`, `client_at`, `received_at`: naive UTC. Read texts with offsets by
     ``make_timestamp(epoch_us(TRY_CAST(x AS TIMESTAMPTZ)))`` (a cast to TIMESTAMP ignores the offset without a word,
     one from TIMESTAMPTZ takes four times as long), local ones by
     ``CAST(timezone('Europe/Berlin', TRY_CAST(x AS TIMESTAMP)) AS TIMESTAMP)``.
   - `properties`, and `traits` for what is said of the person: a MAP from raw name to text, JSON text for nested
     values; `property_names` and `property_texts` say the same faster (`shape.SHAPE`). Do not clean or drop personal
     data here: what the tracking plan does not declare goes nowhere, and what is dropped must be counted by name.
   - never let a cell raise: ``TRY_CAST``, ``TRY(from_json(...))``, ``try_strptime``.
3. Put values into the text with `headway.engine.bind` (``$name``) only; names with `headway.engine.identifier`.
4. Return ``Source(name, format, sql, reader, files)`` from a function, test the SELECT on a small file. To offer the
   format in ``sources.yml`` add a `shape.FileSet` beside it and list that in `formats`, with a `sample.Recogniser` if
   ``headway init`` should find it by itself.

A whole source, of exports whose lines look like ``2026-03-02T09:00:00Z ada opened``:

>>> from headway_pipelines.sources.shape import Source
>>> def door_log(name: str = "doors") -> Source:
...     return Source(name, "door_log", '''
...         SELECT batch, line, position,
...             CASE WHEN len(w) = 3 THEN 'event' ELSE 'not a door line' END AS outcome,
...             'Door Used' AS event, w[2] AS user_raw,
...             text AS content,
...             make_timestamp(epoch_us(TRY_CAST(w[1] AS TIMESTAMPTZ))) AS occurred_at, occurred_at AS client_at,
...             MAP {'action': w[3]} AS properties
...         FROM (SELECT *, string_split(rtrim(text, chr(10)), ' ') AS w FROM frames)''')
>>> door_log().files
('**/*',)
"""
