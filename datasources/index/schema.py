"""Tables of the index. A change here raises SCHEMA_VERSION: a file of another version is set aside and rebuilt."""

from __future__ import annotations

SCHEMA_VERSION = 4

STAGED_SEQUENCE = 2**63 - 1
"""submitted_sequence of a staged message: it sorts behind everything."""

# Threads and messages are numbered so that rows and indexes that refer to them stay small.
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- sequence 0: nothing but staged messages is known of this thread
CREATE TABLE threads (
  number INTEGER PRIMARY KEY,
  thread_id TEXT NOT NULL UNIQUE,
  address TEXT UNIQUE,
  sequence INTEGER NOT NULL DEFAULT 0,
  slot INTEGER NOT NULL DEFAULT 0,
  activity_at INTEGER NOT NULL DEFAULT 0,
  leaves INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX threads_by_activity ON threads (activity_at, thread_id) WHERE sequence > 0;

CREATE TABLE members (
  key TEXT NOT NULL,
  thread INTEGER NOT NULL,
  joined_sequence INTEGER NOT NULL,
  PRIMARY KEY (key, thread)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_thread ON members (thread);

-- amounts are kept as `integers.signed` makes them
CREATE TABLE messages (
  number INTEGER PRIMARY KEY,
  content_hash TEXT NOT NULL UNIQUE,
  thread INTEGER NOT NULL,
  author TEXT NOT NULL,
  status TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  submitted_sequence INTEGER NOT NULL,
  submitted_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER NOT NULL,
  share INTEGER NOT NULL,
  escrow_remaining INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_in_order ON messages (thread, submitted_sequence, content_hash);
CREATE INDEX messages_published ON messages (thread, submitted_sequence, content_hash) WHERE status = 'PUBLISHED';
CREATE INDEX messages_of_author ON messages (author, submitted_at, content_hash);
CREATE INDEX messages_pending ON messages (thread, expires_at, content_hash) WHERE status = 'PENDING';
CREATE INDEX messages_owing ON messages (thread, decided_at, content_hash) WHERE escrow_remaining <> 0;
CREATE INDEX messages_refundable ON messages (author, decided_at, content_hash) WHERE escrow_remaining <> 0;

CREATE TABLE votes (
  message INTEGER NOT NULL,
  voter TEXT NOT NULL,
  approve INTEGER NOT NULL,
  claimed INTEGER NOT NULL,
  PRIMARY KEY (message, voter)
) STRICT, WITHOUT ROWID;
CREATE INDEX votes_unclaimed ON votes (voter, message) WHERE approve = 0 AND claimed = 0;

-- complete subtrees only, which never change; numbered in the order in which they become complete
CREATE TABLE nodes (
  thread INTEGER NOT NULL,
  number INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (thread, number)
) STRICT, WITHOUT ROWID;

-- (sequence, ordinal) ascends along a thread's log; subject is NULL for events of the chain; threads is how many its
-- transaction touched, 0 where that is not known
CREATE TABLE events (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  thread INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL,
  slot INTEGER NOT NULL,
  occurred_at INTEGER NOT NULL,
  signature TEXT,
  content_hash TEXT,
  actor TEXT,
  approve INTEGER,
  amount INTEGER,
  detail TEXT,
  subject TEXT,
  occurrence INTEGER NOT NULL DEFAULT 0,
  threads INTEGER NOT NULL DEFAULT 1,
  UNIQUE (thread, sequence, ordinal)
) STRICT;
CREATE UNIQUE INDEX events_of_server ON events (kind, subject, occurrence) WHERE subject IS NOT NULL;
CREATE INDEX events_swept ON events (slot) WHERE kind = 'Swept' AND amount IS NOT NULL;
CREATE INDEX events_by_signature ON events (signature) WHERE signature IS NOT NULL AND subject IS NULL;

-- one row, once the protocol has been looked at; unexplained is text, since it may need 65 bits
CREATE TABLE protocol (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sequence INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  unexplained TEXT NOT NULL
) STRICT;

-- one row per sequence of the `Protocol` account whose event is known
CREATE TABLE protocol_changes (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  slot INTEGER NOT NULL,
  occurred_at INTEGER NOT NULL,
  signature TEXT NOT NULL,
  admin TEXT,
  minimum_stake INTEGER,
  approval_window INTEGER,
  amount INTEGER,
  destination TEXT
) STRICT;
CREATE INDEX protocol_configured ON protocol_changes (sequence, signature) WHERE kind = 'CONFIGURED';
CREATE INDEX protocol_withdrawn ON protocol_changes (slot) WHERE kind = 'WITHDRAWN';

-- what transactions brought into the treasury beside sweeps, which stand among the events
CREATE TABLE deposits (
  signature TEXT PRIMARY KEY,
  slot INTEGER NOT NULL,
  occurred_at INTEGER NOT NULL,
  amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deposits_in_order ON deposits (slot, signature);

-- sums over all flows, in halves of 32 bits that do not overflow: no page of them may cost what all of them do
CREATE TABLE flow_sums (
  kind TEXT PRIMARY KEY,
  high INTEGER NOT NULL DEFAULT 0,
  low INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO flow_sums (kind) VALUES ('SWEPT'), ('DEPOSITED'), ('WITHDRAWN');
CREATE TRIGGER sum_swept AFTER INSERT ON events WHEN NEW.kind = 'Swept' AND NEW.amount IS NOT NULL BEGIN
  UPDATE flow_sums SET high = high + (NEW.amount >> 32 & 4294967295), low = low + (NEW.amount & 4294967295)
    WHERE kind = 'SWEPT';
END;
CREATE TRIGGER sum_deposited AFTER INSERT ON deposits BEGIN
  UPDATE flow_sums SET high = high + (NEW.amount >> 32 & 4294967295), low = low + (NEW.amount & 4294967295)
    WHERE kind = 'DEPOSITED';
END;
CREATE TRIGGER sum_withdrawn AFTER INSERT ON protocol_changes WHEN NEW.kind = 'WITHDRAWN' BEGIN
  UPDATE flow_sums SET high = high + (NEW.amount >> 32 & 4294967295), low = low + (NEW.amount & 4294967295)
    WHERE kind = 'WITHDRAWN';
END;
"""
