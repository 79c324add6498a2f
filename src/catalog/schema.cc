// Migrations.
#include "catalog/schema.h"

#include <algorithm>
#include <array>

#include "catalog/schema_versions.h"

namespace warifu::catalog {
namespace {

// Identifiers are 16 bytes, times milliseconds since 1970 UTC, states and site names text. The JSON
// texts (protections, plan, result) are checked before they are written.
constexpr std::string_view kVersion2 = R"sql(
CREATE TABLE person (
  person_id TEXT PRIMARY KEY NOT NULL,
  name      TEXT NOT NULL,
  card      BLOB NOT NULL UNIQUE CHECK (length(card) = 16),
  created   INTEGER NOT NULL
) STRICT;

CREATE TABLE pseudonym (
  person_id TEXT NOT NULL REFERENCES person,
  site      TEXT NOT NULL,
  pseudonym BLOB NOT NULL CHECK (length(pseudonym) = 16),
  PRIMARY KEY (person_id, site),
  UNIQUE (site, pseudonym)
) STRICT, WITHOUT ROWID;

CREATE TABLE site (
  site    TEXT PRIMARY KEY NOT NULL,
  number  INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 0 AND 255),
  address TEXT NOT NULL
) STRICT;

CREATE TABLE site_label (
  site     TEXT NOT NULL REFERENCES site,
  position INTEGER NOT NULL,
  label    TEXT NOT NULL,
  PRIMARY KEY (site, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE object (
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
  card_record  TEXT NOT NULL CHECK (card_record IN ('pending', 'on_card')),
  CHECK (state <> 'committed' OR committed_at IS NOT NULL)
) STRICT;
CREATE INDEX object_of_person ON object (person_id, created);
CREATE INDEX object_by_time ON object (created);

CREATE TABLE share (
  share_id    BLOB PRIMARY KEY NOT NULL CHECK (length(share_id) = 16),
  object_id   BLOB NOT NULL REFERENCES object,
  parent_id   BLOB REFERENCES share,
  idx         INTEGER NOT NULL CHECK (idx BETWEEN 0 AND cut_shares - 1),
  cut_shares  INTEGER NOT NULL CHECK (cut_shares BETWEEN 2 AND 32),
  level       INTEGER NOT NULL CHECK (level BETWEEN 0 AND 1),
  generation  INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 4294967295),
  site        TEXT,
  last_site   TEXT,
  state       TEXT NOT NULL
              CHECK (state IN ('planned', 'writing', 'durable', 'delete_pending', 'deleted')),
  bytes       INTEGER NOT NULL,
  route       TEXT NOT NULL,
  protections TEXT NOT NULL,
  CHECK ((level = 1) = (parent_id IS NOT NULL)),
  CHECK (site IS NULL OR last_site = site),
  CHECK (state NOT IN ('planned', 'writing', 'durable') OR site IS NOT NULL),
  CHECK (state <> 'deleted' OR site IS NULL)
) STRICT;
CREATE INDEX share_of_object ON share (object_id);
CREATE INDEX share_of_parent ON share (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX share_to_delete ON share (state) WHERE state = 'delete_pending';
-- One live share for each place in the tree.
CREATE UNIQUE INDEX share_live ON share (object_id, generation, ifnull(parent_id, x''), idx)
  WHERE state IN ('planned', 'writing', 'durable');

CREATE TABLE job (
  job_id         BLOB PRIMARY KEY NOT NULL CHECK (length(job_id) = 16),
  kind           TEXT NOT NULL CHECK (kind IN ('store', 'reshare', 'restore')),
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
  result         TEXT NOT NULL
) STRICT;
CREATE INDEX job_by_time ON job (created);
CREATE INDEX job_of_object ON job (object_id);
CREATE INDEX job_of_person ON job (person_id);
CREATE INDEX job_unfinished ON job (created) WHERE state IN ('waiting_key', 'running', 'paused');

CREATE TABLE consent_grant (
  grant_id      BLOB PRIMARY KEY NOT NULL CHECK (length(grant_id) = 16),
  object_id     BLOB NOT NULL REFERENCES object,
  person_id     TEXT NOT NULL REFERENCES person,
  grant_bytes   BLOB NOT NULL,
  evidence      BLOB NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('given', 'used_up', 'expired', 'withdrawn')),
  created       INTEGER NOT NULL,
  expiry        INTEGER NOT NULL,
  sealed_secret BLOB NOT NULL
) STRICT;
CREATE INDEX grant_of_object ON consent_grant (object_id);
CREATE INDEX grant_of_person ON consent_grant (person_id);

CREATE TABLE link_use (
  job_id        BLOB NOT NULL REFERENCES job,
  from_site     TEXT NOT NULL,
  to_site       TEXT NOT NULL,
  link_class    TEXT NOT NULL,
  origin        TEXT NOT NULL,
  payload_bytes INTEGER NOT NULL,
  tag_bytes     INTEGER NOT NULL,
  key_bytes     INTEGER NOT NULL,
  PRIMARY KEY (job_id, from_site, to_site, link_class, origin)
) STRICT, WITHOUT ROWID;
)sql";

// Which site has seen what of an object, held, made, gathered or relayed: the exposure ledger.
// `part` is 0 for a share of the object itself, n + 1 for part n of that share.
constexpr std::string_view kVersion3 = R"sql(
CREATE TABLE sighting (
  object_id BLOB NOT NULL REFERENCES object,
  site      TEXT NOT NULL,
  top       INTEGER NOT NULL CHECK (top BETWEEN 0 AND 31),
  part      INTEGER NOT NULL CHECK (part BETWEEN 0 AND 32),
  job_id    BLOB NOT NULL REFERENCES job,
  PRIMARY KEY (object_id, site, top, part)
) STRICT, WITHOUT ROWID;
)sql";

// Kinds of jobs of upkeep. SQLite has no other way to change a CHECK than a new table; whoever runs
// this has switched foreign keys off, so that the references to `job` stay as they are.
constexpr std::string_view kVersion4 = R"sql(
CREATE TABLE job_with_upkeep (
  job_id         BLOB PRIMARY KEY NOT NULL CHECK (length(job_id) = 16),
  kind           TEXT NOT NULL CHECK (kind IN
                 ('store', 'reshare', 'restore', 'repair', 'move', 'delete')),
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
  result         TEXT NOT NULL
) STRICT;
INSERT INTO job_with_upkeep SELECT job_id, kind, state, step, object_id, person_id, plan, progress_bytes, total_bytes, error,
  created, updated, expected_end, sealed_secret, result
  FROM job;
DROP TABLE job;
ALTER TABLE job_with_upkeep RENAME TO job;
CREATE INDEX job_by_time ON job (created);
CREATE INDEX job_of_object ON job (object_id);
CREATE INDEX job_of_person ON job (person_id);
CREATE INDEX job_unfinished ON job (created) WHERE state IN ('waiting_key', 'running', 'paused');
)sql";

// A catalog that is rebuilt has a job for it; lists of objects are paged over indexes alone.
constexpr std::string_view kVersion5 = R"sql(
CREATE TABLE job_with_rebuild (
  job_id         BLOB PRIMARY KEY NOT NULL CHECK (length(job_id) = 16),
  kind           TEXT NOT NULL CHECK (kind IN
                 ('store', 'reshare', 'restore', 'repair', 'move', 'delete', 'rebuild')),
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
  result         TEXT NOT NULL
) STRICT;
INSERT INTO job_with_rebuild SELECT job_id, kind, state, step, object_id, person_id, plan, progress_bytes, total_bytes, error,
  created, updated, expected_end, sealed_secret, result
  FROM job;
DROP TABLE job;
ALTER TABLE job_with_rebuild RENAME TO job;
CREATE INDEX job_by_time ON job (created);
CREATE INDEX job_of_object ON job (object_id);
CREATE INDEX job_of_person ON job (person_id);
CREATE INDEX job_unfinished ON job (created) WHERE state IN ('waiting_key', 'running', 'paused');

-- Every order that lists ask for, with all that the order needs.
DROP INDEX IF EXISTS object_of_person;
DROP INDEX IF EXISTS object_by_time;
DROP INDEX IF EXISTS object_by_state;
CREATE INDEX object_of_person ON object (person_id, created DESC, object_id);
CREATE INDEX object_by_time ON object (created DESC, object_id);
CREATE INDEX object_by_state ON object (state, created DESC, object_id);
)sql";

// Shares that are refreshed have a job for it; jobs have priorities.
constexpr std::string_view kVersion6 = R"sql(
CREATE TABLE job_with_refresh (
  job_id         BLOB PRIMARY KEY NOT NULL CHECK (length(job_id) = 16),
  kind           TEXT NOT NULL CHECK (kind IN
                 ('store', 'reshare', 'restore', 'repair', 'move', 'delete', 'rebuild',
                  'refresh')),
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
  result         TEXT NOT NULL
) STRICT;
INSERT INTO job_with_refresh SELECT job_id, kind, state, step, object_id, person_id, plan, progress_bytes, total_bytes, error,
  created, updated, expected_end, sealed_secret, result
  FROM job;
DROP TABLE job;
ALTER TABLE job_with_refresh RENAME TO job;
CREATE INDEX job_by_time ON job (created);
CREATE INDEX job_of_object ON job (object_id);
CREATE INDEX job_of_person ON job (person_id);
CREATE INDEX job_unfinished ON job (created) WHERE state IN ('waiting_key', 'running', 'paused');
ALTER TABLE job ADD COLUMN priority TEXT NOT NULL DEFAULT 'usual'
  CHECK (priority IN ('low', 'usual', 'urgent'));
)sql";

// Cards are revoked and consents withdrawn, and every site is told; what a card must know of an
// object is kept in shares as well.
constexpr std::string_view kVersion7 = R"sql(
CREATE TABLE revoked_card (
  card      BLOB PRIMARY KEY NOT NULL CHECK (length(card) = 16),
  person_id TEXT NOT NULL REFERENCES person,
  revoked   INTEGER NOT NULL,
  why       TEXT NOT NULL
) STRICT;
CREATE INDEX revoked_card_of_person ON revoked_card (person_id, revoked);

-- One row for each site that has not confirmed yet.
CREATE TABLE card_order (
  number   INTEGER PRIMARY KEY,
  kind     TEXT NOT NULL CHECK (kind IN ('withdraw', 'revoke')),
  card     BLOB NOT NULL CHECK (length(card) = 16),
  grant_id BLOB NOT NULL CHECK (length(grant_id) = 16),
  expiry   INTEGER NOT NULL,
  site     TEXT NOT NULL,
  created  INTEGER NOT NULL
) STRICT;

CREATE TABLE kept_record (
  object_id BLOB PRIMARY KEY NOT NULL REFERENCES object,
  kept      INTEGER NOT NULL
) STRICT;
CREATE INDEX job_with_secret ON job (object_id) WHERE length(sealed_secret) > 0;
CREATE INDEX grant_with_secret ON consent_grant (object_id) WHERE length(sealed_secret) > 0;
)sql";

// Shares and sightings are known by their paths, a byte for each step, in trees of any depth.
constexpr std::string_view kVersion8 = R"sql(
CREATE TABLE share_with_path (
  share_id    BLOB PRIMARY KEY NOT NULL CHECK (length(share_id) = 16),
  object_id   BLOB NOT NULL REFERENCES object,
  parent_id   BLOB REFERENCES share,
  path        BLOB NOT NULL CHECK (length(path) BETWEEN 1 AND 9),
  cut_shares  INTEGER NOT NULL CHECK (cut_shares BETWEEN 2 AND 32),
  generation  INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 4294967295),
  site        TEXT,
  last_site   TEXT,
  state       TEXT NOT NULL
              CHECK (state IN ('planned', 'writing', 'durable', 'delete_pending', 'deleted')),
  bytes       INTEGER NOT NULL,
  route       TEXT NOT NULL,
  protections TEXT NOT NULL,
  CHECK ((length(path) > 1) = (parent_id IS NOT NULL)),
  CHECK (site IS NULL OR last_site = site),
  CHECK (state NOT IN ('planned', 'writing', 'durable') OR site IS NOT NULL),
  CHECK (state <> 'deleted' OR site IS NULL)
) STRICT;
INSERT INTO share_with_path SELECT s.share_id, s.object_id, s.parent_id,
  CAST(CASE WHEN s.parent_id IS NULL THEN char(s.idx) ELSE char(p.idx, s.idx) END AS BLOB),
  s.cut_shares, s.generation, s.site, s.last_site, s.state, s.bytes, s.route, s.protections
  FROM share s LEFT JOIN share p ON p.share_id = s.parent_id;
DROP TABLE share;
ALTER TABLE share_with_path RENAME TO share;
CREATE INDEX share_of_object ON share (object_id);
CREATE INDEX share_of_parent ON share (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX share_to_delete ON share (state) WHERE state = 'delete_pending';
-- One live share for each place in the tree.
CREATE UNIQUE INDEX share_live ON share (object_id, generation, path)
  WHERE state IN ('planned', 'writing', 'durable');

CREATE TABLE sighting_with_path (
  object_id BLOB NOT NULL REFERENCES object,
  site      TEXT NOT NULL,
  path      BLOB NOT NULL CHECK (length(path) BETWEEN 1 AND 9),
  job_id    BLOB NOT NULL REFERENCES job,
  PRIMARY KEY (object_id, site, path)
) STRICT, WITHOUT ROWID;
INSERT INTO sighting_with_path SELECT object_id, site,
  CAST(CASE WHEN part = 0 THEN char(top) ELSE char(top, part - 1) END AS BLOB), job_id
  FROM sighting;
DROP TABLE sighting;
ALTER TABLE sighting_with_path RENAME TO sighting;
)sql";

// Orders about persons: what each site has still to be told, as it is told.
constexpr std::string_view kVersion9 = R"sql(
CREATE TABLE person_order (
  number    INTEGER PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES person,
  method    INTEGER NOT NULL CHECK (method BETWEEN 1 AND 65535),
  body      BLOB NOT NULL,
  site      TEXT NOT NULL,
  created   INTEGER NOT NULL
) STRICT;
CREATE INDEX person_order_of_person ON person_order (person_id);
)sql";

// Objects that begin with a genome's index: how many chunks that lead is.
constexpr std::string_view kVersion10 = R"sql(
CREATE TABLE genome_object (
  object_id   BLOB PRIMARY KEY NOT NULL REFERENCES object,
  lead_chunks INTEGER NOT NULL CHECK (lead_chunks BETWEEN 1 AND 4294967295)
) STRICT;
)sql";

// A version without a table of its own here.
constexpr std::string_view kVersion11;

constexpr std::array<std::string_view, kSchemaVersion - kOldestVersion + 1> kMigrations = {
    kVersion2,  kVersion3,  kVersion4,  kVersion5,  kVersion6,  kVersion7,  kVersion8, kVersion9,
    kVersion10, kVersion11, kVersion12, kVersion13, kVersion14, kVersion15, kVersion16};

// Runs the migrations behind `version` (0: a new file), all or none.
Result<> migrate(Database& database, std::uint64_t version) {
  TRY(database.execute("PRAGMA foreign_keys = OFF"));  // does nothing inside a transaction
  TRY_ASSIGN(Transaction transaction, Transaction::begin(database));
  for (std::uint64_t next = std::max(version + 1, kOldestVersion); next <= kSchemaVersion; ++next) {
    TRY(database.execute(std::string(kMigrations[next - kOldestVersion])));
  }
  TRY(database.execute("PRAGMA application_id = " + std::to_string(kApplicationId)));
  TRY(database.execute("PRAGMA user_version = " + std::to_string(kSchemaVersion)));
  TRY_ASSIGN(const std::uint64_t broken,
             database.query_number("SELECT count(*) FROM pragma_foreign_key_check"));
  if (broken > 0) return database.damaged("references to records that are not there");
  TRY(transaction.commit());
  return database.execute("PRAGMA foreign_keys = ON");
}

Result<> use_write_ahead_log(Database& database) {
  TRY_ASSIGN(const std::string mode, database.query_text("PRAGMA journal_mode = WAL"));
  if (mode == "wal") return {};
  return fail(Code::kIo, "catalog '" + database.path() +
                             "' cannot have a write-ahead log; is it on a network file system?");
}

}  // namespace

Result<> create_schema(Database& database) {
  TRY(use_write_ahead_log(database));
  TRY(migrate(database, 0));
  // Tables that migrations have replaced leave free pages, which no check looks at.
  return database.execute("VACUUM");
}

Result<> prepare_schema(Database& database) {
  TRY_ASSIGN(const std::uint64_t page_count, database.query_number("PRAGMA page_count"));
  if (page_count == 0) return database.damaged("it is empty");
  TRY_ASSIGN(const std::uint64_t application, database.query_number("PRAGMA application_id"));
  if (application != kApplicationId) {
    return fail(Code::kCorrupt, "'" + database.path() + "' is not a catalog of this program");
  }
  TRY_ASSIGN(const std::uint64_t version, database.query_number("PRAGMA user_version"));
  if (version > kSchemaVersion) {
    return fail(Code::kInvalidArgument,
                "catalog '" + database.path() + "' has schema version " + std::to_string(version) +
                    "; this program knows versions up to " + std::to_string(kSchemaVersion));
  }
  if (version == 0) return database.damaged("it has no schema version");
  if (version < kOldestVersion) {
    return fail(Code::kInvalidArgument,
                "catalog '" + database.path() + "' has schema version " + std::to_string(version) +
                    "; this program reads versions from " + std::to_string(kOldestVersion));
  }
  TRY(use_write_ahead_log(database));
  TRY_ASSIGN(const std::string pages, database.query_text("PRAGMA quick_check(1)"));
  if (pages != "ok") return database.damaged(pages);
  if (version < kSchemaVersion) TRY(migrate(database, version));
  return {};
}

}  // namespace warifu::catalog
