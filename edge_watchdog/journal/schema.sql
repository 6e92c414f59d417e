-- What happened.  wall: seconds since 1970, UTC.  seq: number of an event since the file was made;
-- a number left out means that events in between were quiet and are not kept.
-- BLOBs are JSON of core/codec.py, compressed by zlib.

CREATE TABLE latest (               -- where the mind stood last; one row, written over
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    seq     INTEGER NOT NULL,       -- the last event that is in it
    life    INTEGER NOT NULL,       -- rises when a state was lost: incident numbers begin again
    boot_id TEXT    NOT NULL,
    wall    REAL    NOT NULL,
    state   BLOB    NOT NULL
);

CREATE TABLE span (                 -- from here on events are kept: the state before one of them
    first_seq INTEGER PRIMARY KEY,
    boot_id   TEXT NOT NULL,
    wall      REAL NOT NULL,
    state     BLOB NOT NULL
);

CREATE TABLE event (
    seq  INTEGER PRIMARY KEY,
    body BLOB NOT NULL              -- [event, [action, ...]]
);

CREATE TABLE incident (
    life          INTEGER NOT NULL,
    id            INTEGER NOT NULL,
    opened_wall   REAL    NOT NULL,
    resolved_wall REAL,
    first_seq     INTEGER,          -- where its recording begins; NULL when there is none
    body          TEXT    NOT NULL, -- IncidentView
    PRIMARY KEY (life, id)
) WITHOUT ROWID;

CREATE INDEX incident_by_time ON incident (opened_wall);

CREATE TABLE stretch (
    start_wall REAL    NOT NULL,
    uplink     TEXT    NOT NULL,
    seconds    REAL    NOT NULL,
    health     TEXT    NOT NULL,
    active     INTEGER NOT NULL,
    loss_ratio REAL,
    rtt_s      REAL,
    PRIMARY KEY (start_wall, uplink)
) WITHOUT ROWID;

PRAGMA user_version = 1;
