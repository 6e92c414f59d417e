-- Who may see what: people, devices, sessions, and who looked at what.  No client is named here.
-- Tokens, codes and secrets are kept as hashes.  Times are seconds since 1970, UTC.

CREATE TABLE person (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL UNIQUE,
    role    TEXT NOT NULL CHECK (role IN ('staff', 'owner')),
    secret  TEXT NOT NULL                       -- scrypt line of a PIN or password
) STRICT;

CREATE TABLE device (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    token       TEXT NOT NULL UNIQUE,           -- SHA-256
    paired_wall REAL NOT NULL,
    seen_wall   REAL NOT NULL
) STRICT;

CREATE TABLE session (
    token       TEXT PRIMARY KEY,               -- SHA-256
    person_id   INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    device_id   INTEGER REFERENCES device (id) ON DELETE CASCADE,
    secure      INTEGER NOT NULL CHECK (secure IN (0, 1)),
    began_wall  REAL NOT NULL,
    ends_wall   REAL NOT NULL
) STRICT;

CREATE TABLE try (
    at_wall REAL NOT NULL,
    lock    TEXT NOT NULL,
    source  TEXT NOT NULL
) STRICT;

CREATE TABLE audit (                            -- each row's digest holds the one before it
    number  INTEGER PRIMARY KEY,
    at_wall REAL NOT NULL,
    person  TEXT NOT NULL,
    device  TEXT NOT NULL,
    screen  TEXT NOT NULL,
    subject TEXT NOT NULL,                      -- a client's key or a range of days, never a name
    digest  TEXT NOT NULL
) STRICT;

CREATE TABLE chain (                            -- where the chain begins and ends, sealed
    only    INTEGER PRIMARY KEY CHECK (only = 1),
    ends    BLOB NOT NULL
) STRICT;
