// The migrations of the catalog from version 12 on; those before, and who runs them, are in
// schema.cc. Internal to `catalog`.
#pragma once

#include <string_view>

namespace warifu::catalog {

// What is asked of persons, and which grants were made for it.
inline constexpr std::string_view kVersion12 = R"sql(
CREATE TABLE request (
  request_id BLOB PRIMARY KEY NOT NULL CHECK (length(request_id) = 16),
  object_id  BLOB NOT NULL REFERENCES object,
  person_id  TEXT NOT NULL REFERENCES person,
  decided    TEXT NOT NULL CHECK (decided IN ('asked', 'refused', 'cancelled')),
  terms      TEXT NOT NULL,
  asked_by   TEXT NOT NULL,
  note       TEXT NOT NULL,
  why        TEXT NOT NULL,
  created    INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  decided_at INTEGER,
  CHECK ((decided = 'asked') = (decided_at IS NULL))
) STRICT;
CREATE INDEX request_of_person ON request (person_id, created DESC, request_id);
CREATE INDEX request_of_object ON request (object_id, created DESC, request_id);
CREATE INDEX request_by_time ON request (created DESC, request_id);

-- A grant stands here before it is given, so it may never come to be.
CREATE TABLE request_grant (
  grant_id   BLOB PRIMARY KEY NOT NULL CHECK (length(grant_id) = 16),
  request_id BLOB NOT NULL REFERENCES request
) STRICT;
CREATE INDEX grant_of_request ON request_grant (request_id);
)sql";

// Persons to be enrolled at a terminal, and the cards that were begun for them.
inline constexpr std::string_view kVersion13 = R"sql(
CREATE TABLE enrolment_order (
  order_id      BLOB PRIMARY KEY NOT NULL CHECK (length(order_id) = 16),
  person_id     TEXT NOT NULL,
  name          TEXT NOT NULL,
  again         INTEGER NOT NULL CHECK (again IN (0, 1)),
  card_type     TEXT NOT NULL,
  keys_per_site INTEGER NOT NULL CHECK (keys_per_site BETWEEN 0 AND 65535),
  code          TEXT NOT NULL,
  ordered_by    TEXT NOT NULL,
  trouble       TEXT NOT NULL,
  created       INTEGER NOT NULL,
  expires       INTEGER NOT NULL,
  cancelled_at  INTEGER
) STRICT;
CREATE INDEX enrolment_by_time ON enrolment_order (created DESC, order_id);
CREATE INDEX enrolment_of_person ON enrolment_order (person_id);

CREATE TABLE enrolment_card (
  number   INTEGER PRIMARY KEY,
  order_id BLOB NOT NULL REFERENCES enrolment_order,
  card     BLOB NOT NULL CHECK (length(card) = 16),
  terminal TEXT NOT NULL,
  begun    INTEGER NOT NULL,
  relayed  INTEGER NOT NULL CHECK (relayed IN (0, 1))
) STRICT;
CREATE INDEX enrolment_card_of_order ON enrolment_card (order_id);
CREATE INDEX enrolment_card_by_card ON enrolment_card (card);

CREATE TABLE enrolment_pseudonym (
  number    INTEGER NOT NULL REFERENCES enrolment_card,
  site      TEXT NOT NULL,
  pseudonym BLOB NOT NULL CHECK (length(pseudonym) = 16),
  PRIMARY KEY (number, site)
) STRICT, WITHOUT ROWID;
)sql";

// What opens the regions that a grant hides from the holders.
inline constexpr std::string_view kVersion14 = R"sql(
ALTER TABLE consent_grant ADD COLUMN opening BLOB NOT NULL DEFAULT x'';
)sql";

// All that a site holds is given new places, or made anew, by one job; it looks for shares by their
// site.
inline constexpr std::string_view kVersion15 = R"sql(
CREATE TABLE job_with_sites (
  job_id         BLOB PRIMARY KEY NOT NULL CHECK (length(job_id) = 16),
  kind           TEXT NOT NULL CHECK (kind IN
                 ('store', 'reshare', 'restore', 'repair', 'move', 'delete', 'rebuild',
                  'refresh', 'site_repair', 'site_drain')),
  state          TEXT NOT NULL CHECK (state IN
                 ('waiting_key', 'running', 'paused', 'done', 'failed', 'cancelled')),
  step           TEXT NOT NULL,
  object_id      BLOB REFERENCES object,
  person_id      TEXT REFERENCES person,
  plan           TEXT NOT NULL,
  progress_bytes INTEGER NOT NULL,
  total_bytes    INTEGER NOT NULL,
  error          TEXT NOT NULL,
  created        INTEGER NOT NULL,
  updated        INTEGER NOT NULL,
  expected_end   INTEGER,
  sealed_secret  BLOB NOT NULL,
  result         TEXT NOT NULL,
  priority       TEXT NOT NULL DEFAULT 'usual' CHECK (priority IN ('low', 'usual', 'urgent'))
) STRICT;
INSERT INTO job_with_sites SELECT job_id, kind, state, step, object_id, person_id, plan, progress_bytes, total_bytes, error,
  created, updated, expected_end, sealed_secret, result, priority
  FROM job;
DROP TABLE job;
ALTER TABLE job_with_sites RENAME TO job;
CREATE INDEX job_by_time ON job (created);
CREATE INDEX job_of_object ON job (object_id);
CREATE INDEX job_of_person ON job (person_id);
CREATE INDEX job_unfinished ON job (created) WHERE state IN ('waiting_key', 'running', 'paused');
CREATE INDEX job_with_secret ON job (object_id) WHERE length(sealed_secret) > 0;
CREATE INDEX IF NOT EXISTS share_by_site ON share (site, object_id) WHERE state = 'durable';
)sql";

// Of an object that came out of its shares nobody knows whether the card has its record; versions
// before said that it has.
inline constexpr std::string_view kVersion16 = R"sql(
CREATE TABLE object_with_unknown (
  object_id    BLOB PRIMARY KEY NOT NULL CHECK (length(object_id) = 16),
  person_id    TEXT NOT NULL REFERENCES person,
  label        TEXT NOT NULL,
  length       INTEGER NOT NULL CHECK (length > 0),
  chunk_count  INTEGER NOT NULL CHECK (chunk_count > 0),
  state        TEXT NOT NULL CHECK (state IN ('storing', 'committed', 'failed', 'deleted')),
  policy       TEXT NOT NULL,
  generation   INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 4294967295),
  created      INTEGER NOT NULL,
  committed_at INTEGER,
  input        TEXT NOT NULL,
  card_record  TEXT NOT NULL CHECK (card_record IN ('pending', 'on_card', 'unknown')),
  CHECK (state <> 'committed' OR committed_at IS NOT NULL)
) STRICT;
INSERT INTO object_with_unknown SELECT object_id, person_id, label, length, chunk_count, state, policy, generation, created,
  committed_at, input, CASE WHEN card_record = 'on_card' AND input = 'catalog rebuild' THEN 'unknown' ELSE card_record END
  FROM object;
DROP TABLE object;
ALTER TABLE object_with_unknown RENAME TO object;
CREATE INDEX object_of_person ON object (person_id, created DESC, object_id);
CREATE INDEX object_by_time ON object (created DESC, object_id);
CREATE INDEX object_by_state ON object (state, created DESC, object_id);
)sql";

}  // namespace warifu::catalog
