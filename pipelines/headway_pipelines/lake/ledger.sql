-- The ledger (SQLite).
-- batches:  one row per version of a raw file
-- outcomes: one row per batch and what became of its lines
-- dropped:  one row per batch, event, property and reason; n = values that did not pass the gate
-- rejects:  one row per located rejected line (the first of each batch)
-- contested: one row per located copy that says something else than the copy that stays (the first of each batch)
-- groups:   one row per staged group and batch with rows in it
-- files:    one row per live file of the warehouse; a file that is not listed does not exist for any reader
-- settings: one row per name
CREATE TABLE IF NOT EXISTS batches (
    batch INTEGER PRIMARY KEY AUTOINCREMENT,
    path_id TEXT NOT NULL,
    label TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    source TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    lines INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS outcomes (
    batch INTEGER NOT NULL, outcome TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (batch, outcome)
);
CREATE TABLE IF NOT EXISTS dropped (
    batch INTEGER NOT NULL, event TEXT NOT NULL, property TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (batch, event, property, reason)
);
CREATE TABLE IF NOT EXISTS rejects (
    batch INTEGER NOT NULL, line INTEGER NOT NULL, position INTEGER NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS contested (
    batch INTEGER NOT NULL, line INTEGER NOT NULL, kept_batch INTEGER NOT NULL, kept_line INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS groups (name TEXT NOT NULL, batch INTEGER NOT NULL, PRIMARY KEY (name, batch));
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, kind TEXT NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
