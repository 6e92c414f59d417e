-- The day book: whole snapshots of the days that are kept.  What names a client is sealed (seal.py).
-- Times ending in _wall are seconds since 1970, UTC; _mono are seconds of the boot clock.

CREATE TABLE IF NOT EXISTS snapshot (
    id          INTEGER PRIMARY KEY,
    source      TEXT    NOT NULL,
    held        INTEGER NOT NULL CHECK (held IN (0, 1)),  -- 1: waits for a second look
    first_day   TEXT    NOT NULL,                         -- ISO date, local to zone
    days        INTEGER NOT NULL CHECK (days > 0),
    zone        TEXT    NOT NULL,
    as_of_wall  REAL    NOT NULL,                         -- request sent, less Age
    as_of_mono  REAL    NOT NULL,
    asked_wall  REAL    NOT NULL,                         -- request sent
    asked_mono  REAL    NOT NULL,
    boot_id     TEXT    NOT NULL,
    token       TEXT    NOT NULL,                         -- ETag or date, for the next request
    digest      TEXT    NOT NULL,                         -- of the body as it came
    dropped     TEXT    NOT NULL,                         -- "12 to 0 on 2026-11-21": believed twice
    body        BLOB    NOT NULL                          -- sealed JSON of Reading
) STRICT;

CREATE INDEX IF NOT EXISTS snapshot_of_source ON snapshot (source, held, id);

CREATE TABLE IF NOT EXISTS problem (
    source      TEXT PRIMARY KEY,
    words       TEXT NOT NULL,
    at_wall     REAL NOT NULL,
    at_mono     REAL NOT NULL,
    boot_id     TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS proof (                        -- tells whether the key is the right one
    only        INTEGER PRIMARY KEY CHECK (only = 1),
    body        BLOB NOT NULL                             -- sealed: "daybook"
) STRICT;
