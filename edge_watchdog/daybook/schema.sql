-- The day book: whole snapshots of today and tomorrow.  A client is a first name and an initial.
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
    rejected    INTEGER NOT NULL,
    dropped     TEXT    NOT NULL                          -- "12 to 0 on 2026-11-21": believed twice
) STRICT;

CREATE INDEX IF NOT EXISTS snapshot_of_source ON snapshot (source, held, id);

CREATE TABLE IF NOT EXISTS appointment (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    body        TEXT    NOT NULL,                         -- JSON of Appointment
    PRIMARY KEY (snapshot_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS problem (
    source      TEXT PRIMARY KEY,
    words       TEXT NOT NULL,
    at_wall     REAL NOT NULL,
    at_mono     REAL NOT NULL,
    boot_id     TEXT NOT NULL
) STRICT;
