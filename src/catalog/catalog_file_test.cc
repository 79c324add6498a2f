// The file itself: damage, other files, newer versions, rights, erased secrets.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "catalog/catalog_test_support.h"
#include "catalog/schema.h"

namespace warifu::catalog {
namespace {

// What versions 10 to 16 added, taken away again.
constexpr std::string_view kBackToVersion9 = R"sql(
ALTER TABLE consent_grant DROP COLUMN opening;
DROP TABLE enrolment_pseudonym;
DROP TABLE enrolment_card;
DROP TABLE enrolment_order;
DROP TABLE request_grant;
DROP TABLE request;
DROP TABLE genome_object;
)sql";

// Shares and sightings as version 7 had them, by index and parent; at most one cut inside the
// object's. Foreign keys must be off.
constexpr std::string_view kBackToVersion7 = R"sql(
DROP TABLE person_order;
CREATE TABLE old_share (
  share_id    BLOB PRIMARY KEY NOT NULL CHECK (length(share_id) = 16),
  object_id   BLOB NOT NULL REFERENCES object,
  parent_id   BLOB REFERENCES share,
  idx         INTEGER NOT NULL CHECK (idx BETWEEN 0 AND cut_shares - 1),
  cut_shares  INTEGER NOT NULL CHECK (cut_shares BETWEEN 2 AND 32),
  level       INTEGER NOT NULL CHECK (level BETWEEN 0 AND 1),
  generation  INTEGER NOT NULL, site TEXT, last_site TEXT, state TEXT NOT NULL,
  bytes INTEGER NOT NULL, route TEXT NOT NULL, protections TEXT NOT NULL
) STRICT;
INSERT INTO old_share SELECT share_id, object_id, parent_id,
  CAST('0x' || hex(substr(path, -1)) AS INTEGER) + instr('123456789ABCDEF', substr(hex(path), -1)),
  cut_shares, length(path) - 1, generation, site, last_site, state, bytes, route, protections
  FROM share;
DROP TABLE share;
ALTER TABLE old_share RENAME TO share;
CREATE UNIQUE INDEX share_live ON share (object_id, generation, ifnull(parent_id, x''), idx)
  WHERE state IN ('planned', 'writing', 'durable');
CREATE TABLE old_sighting (
  object_id BLOB NOT NULL REFERENCES object, site TEXT NOT NULL,
  top       INTEGER NOT NULL CHECK (top BETWEEN 0 AND 31),
  part      INTEGER NOT NULL CHECK (part BETWEEN 0 AND 32),
  job_id    BLOB NOT NULL REFERENCES job,
  PRIMARY KEY (object_id, site, top, part)
) STRICT, WITHOUT ROWID;
INSERT INTO old_sighting SELECT object_id, site, instr('123456789ABCDEF', substr(hex(path), 2, 1)),
  CASE length(path) WHEN 1 THEN 0 ELSE 1 + instr('123456789ABCDEF', substr(hex(path), -1)) END,
  job_id FROM sighting;
DROP TABLE sighting;
ALTER TABLE old_sighting RENAME TO sighting;
)sql";

class FileTest : public testing::Test, protected CatalogHome {
 protected:
  std::string read_all() {
    std::ifstream file(path_, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void write_all(const std::string& text) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
  }
  // Changes the closed catalog behind its back.
  void tamper(const std::string& sql) {
    catalog_.reset();
    auto database = *Database::open(path_);
    const auto done = database->execute(
        "PRAGMA foreign_keys = OFF;"
        "PRAGMA ignore_check_constraints = ON;" +
        sql);
    ASSERT_TRUE(done) << done.error().message;
  }
};

TEST_F(FileTest, OnlyTheOwnerMayReadIt) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  for (const char* ending : {"", "-wal", "-shm"}) {
    struct stat status{};
    ASSERT_EQ(::stat((path_ + ending).c_str(), &status), 0) << ending;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << ending;
  }
  catalog_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(FileTest, OtherFilesAreRefused) {
  catalog_.reset();
  write_all("");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, path_));
  write_all("this is a text of more than a few bytes, and not a database at all");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, path_));
  std::filesystem::remove(path_);
  EXPECT_FALSE(open_sqlite(dir_ + "/nowhere/catalog.db"));
  EXPECT_FALSE(open_sqlite(""));
  EXPECT_FALSE(open_sqlite(dir_));
  ASSERT_TRUE(open_sqlite(path_));
}

TEST_F(FileTest, AnotherProgramsDatabaseAndNewerVersionsAreRefused) {
  const std::string newest = std::to_string(kSchemaVersion);
  const std::string newer = std::to_string(kSchemaVersion + 1);
  tamper("PRAGMA user_version = " + newer);
  EXPECT_TRUE(
      is_error(open_sqlite(path_), Code::kInvalidArgument,
               "has schema version " + newer + "; this program knows versions up to " + newest));
  tamper("PRAGMA user_version = 1");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kInvalidArgument,
                       "has schema version 1; this program reads versions from 2"));
  tamper("PRAGMA user_version = 0");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, path_));
  tamper("PRAGMA user_version = " + newest + "; PRAGMA application_id = 77");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, "not a catalog of this program"));
  tamper("PRAGMA application_id = " + std::to_string(kApplicationId));
  EXPECT_TRUE(open_sqlite(path_));
}

// What version 7 brought.
constexpr const char* kDropCards =
    "DROP INDEX job_with_secret; DROP INDEX grant_with_secret; DROP TABLE kept_record;"
    "DROP TABLE card_order; DROP TABLE revoked_card;";

TEST_F(FileTest, AnOlderVersionIsMigratedAndKeepsItsRecords) {
  start_store();
  tamper(std::string(kDropCards) + std::string(kBackToVersion9) + std::string(kBackToVersion7) +
         "DROP TABLE sighting; PRAGMA user_version = 2");
  catalog_ = *open_sqlite(path_);
  EXPECT_TRUE(catalog_->person(sample_person().person_id));
  EXPECT_TRUE(catalog_->job(kJob));
  EXPECT_TRUE(catalog_->add_sightings(kObject, kJob,
                                      std::vector<Sighting>{{site_of("lsa"), path_of("B")}}, {}));
  EXPECT_TRUE(catalog_->integrity_check());
}

TEST_F(FileTest, SharesOfVersionSevenGetTheirPaths) {
  store_and_cut();
  make_durable(kNested);
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  ASSERT_TRUE(catalog_->replace_share(kB, replacement(*catalog_->share(kB), 0xb1, "lsb"), {}));
  ASSERT_TRUE(catalog_->add_sightings(kObject, kJob,
                                      std::vector<Sighting>{{site_of("lsa"), path_of("A")},
                                                            {site_of("lsa"), path_of("C1")},
                                                            {site_of("tuh"), path_of("C3")}},
                                      {}));
  const auto shares = *catalog_->list_shares(kObject);
  const auto sightings = *catalog_->sightings(kObject);
  ASSERT_EQ(shares.size(), 7u);
  tamper(std::string(kBackToVersion9) + std::string(kBackToVersion7) + "PRAGMA user_version = 7");
  reopen();
  EXPECT_EQ(*catalog_->list_shares(kObject), shares);
  EXPECT_EQ(*catalog_->sightings(kObject), sightings);
  const auto sound = catalog_->integrity_check();
  EXPECT_TRUE(sound) << sound.error().message;
  // The rules are in force again.
  Share other = replacement(shares.front(), 0xd7, "kyoto");
  EXPECT_TRUE(is_error(catalog_->add_shares(std::vector{other}), Code::kAlreadyExists, "stands"));
}

TEST_F(FileTest, GrantsOfVersionThirteenHideNothing) {
  start_store();
  const Grant grant{.grant = id_of<GrantId>(0x31),
                    .object = kObject,
                    .person_id = sample_person().person_id,
                    .grant_bytes = {1},
                    .evidence = {2},
                    .created = {1},
                    .expiry = {2},
                    .sealed_secret = {3}};
  ASSERT_TRUE(catalog_->add_grant(grant));
  tamper("ALTER TABLE consent_grant DROP COLUMN opening; PRAGMA user_version = 13");
  reopen();
  EXPECT_EQ(*catalog_->grant(grant.grant), grant);
}

// It said of objects that came out of their shares that their record was on the card.
TEST_F(FileTest, WhatVersionFifteenCouldNotKnowOfCardsIsUnknown) {
  start_store();
  std::vector<Object> objects = {sample_object()};
  for (const Byte number : {Byte{0x21}, Byte{0x22}, Byte{0x23}}) {
    Object& object = objects.emplace_back(sample_object());
    object.object = id_of<ObjectId>(number);
    object.input = number == 0x21 ? "a file" : "catalog rebuild";
    object.card_record = number == 0x23 ? CardRecordState::kPending : CardRecordState::kOnCard;
    ASSERT_TRUE(catalog_->add_object(object));
  }
  {
    catalog_.reset();
    auto database = *Database::open(path_);
    std::string table =
        *database->query_text("SELECT sql FROM sqlite_schema WHERE name = 'object'");
    const std::string_view unknown = ", 'unknown'";
    ASSERT_NE(table.find(unknown), std::string::npos);
    table.erase(table.find(unknown), unknown.size());
    table = "CREATE TABLE old_object " + table.substr(table.find('('));
    const auto done =
        database->execute("PRAGMA foreign_keys = OFF;" + table +
                          "; INSERT INTO old_object SELECT * FROM object; DROP TABLE object;"
                          "ALTER TABLE old_object RENAME TO object; PRAGMA user_version = 15");
    ASSERT_TRUE(done) << done.error().message;
  }
  reopen();
  objects[2].card_record = CardRecordState::kUnknown;
  for (const Object& object : objects) EXPECT_EQ(*catalog_->object(object.object), object);
  EXPECT_TRUE(catalog_->job(kJob));
  EXPECT_EQ(catalog_->list_shares(kObject)->size(), 3u);
  const auto sound = catalog_->integrity_check();
  EXPECT_TRUE(sound) << sound.error().message;
  auto database = *Database::open(path_);
  EXPECT_EQ(*database->query_number("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND "
                                    "tbl_name = 'object' AND sql IS NOT NULL"),
            3u);
  EXPECT_EQ(*database->query_number(
                "SELECT count(*) FROM pragma_foreign_key_list('share') WHERE \"table\" = 'object'"),
            1u);
}

TEST_F(FileTest, VersionNineKnowsNoGenomes) {
  start_store();
  tamper(std::string(kBackToVersion9) + "PRAGMA user_version = 9");
  reopen();
  EXPECT_EQ(*catalog_->object(kObject), sample_object());
  Object genome = sample_object();
  genome.object = id_of<ObjectId>(0x77);
  genome.lead_chunks = 2;
  ASSERT_TRUE(catalog_->add_object(genome));
  reopen();
  EXPECT_EQ(catalog_->object(genome.object)->lead_chunks, 2u);
}

TEST_F(FileTest, VersionEightGetsOrdersAboutPersons) {
  start_store();
  tamper(std::string(kBackToVersion9) + "DROP TABLE person_order; PRAGMA user_version = 8");
  reopen();
  const std::string person = sample_person().person_id;
  ASSERT_TRUE(catalog_->add_person_orders(std::vector<PersonOrder>{
      {.person_id = person, .method = 85, .body = {1}, .site = site_of("lsa")}}));
  reopen();
  EXPECT_EQ(catalog_->person_orders()->size(), 1u);
  EXPECT_TRUE(catalog_->person(person));
  EXPECT_TRUE(catalog_->integrity_check());
}

class MigrationTest : public FileTest {
 protected:
  // Closed and as version 3 had it: other kinds of jobs, no priorities. Then `sql`.
  void back_to_version_3(const std::string& sql = "") {
    catalog_.reset();
    auto database = *Database::open(path_);
    WARIFU_CHECK(database->execute(kDropCards).has_value());
    WARIFU_CHECK(database->execute("ALTER TABLE job DROP COLUMN priority").has_value());
    const std::string of_job = " FROM sqlite_schema WHERE tbl_name = 'job' AND sql IS NOT NULL";
    std::string table = *database->query_text("SELECT sql" + of_job + " AND type = 'table'");
    const std::string indexes =
        *database->query_text("SELECT group_concat(sql, ';')" + of_job + " AND type = 'index'");
    const std::string_view kinds = ", 'repair', 'move', 'delete'";
    ASSERT_NE(table.find(kinds), std::string::npos);
    table.erase(table.find(kinds), kinds.size());
    table = "CREATE TABLE old_job " + table.substr(table.find('('));
    const auto done =
        database->execute("PRAGMA foreign_keys = OFF;" + std::string(kBackToVersion9) +
                          std::string(kBackToVersion7) + table +
                          "; INSERT INTO old_job SELECT * FROM job; DROP TABLE job;"
                          "ALTER TABLE old_job RENAME TO job;" +
                          indexes + "; PRAGMA user_version = 3;" + sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  // The closed catalog, with its rules in force.
  std::unique_ptr<Database> raw() {
    catalog_.reset();
    auto database = *Database::open(path_);
    WARIFU_CHECK(database->execute("PRAGMA foreign_keys = ON").has_value());
    return database;
  }
  static std::string insert_job(Byte number, const std::string& kind) {
    return "INSERT INTO job SELECT x'" + id_of<JobId>(number).text() + "', '" + kind +
           "', state, step, object_id, person_id, plan, progress_bytes, total_bytes, error, "
           "created, updated, expected_end, sealed_secret, result FROM job LIMIT 1";
  }
  static std::uint64_t count(Database& database, const std::string& what) {
    return *database.query_number("SELECT count(*) FROM " + what);
  }
  const LinkUse use_{site_of("tommo"), site_of("lsa"), "qkd", "HARDWARE", 100, 16, 116};
};

TEST_F(MigrationTest, JobsAndWhatRefersToThemStay) {
  start_store();
  Job second = sample_job();
  second.job = id_of<JobId>(0x71);
  second.kind = JobKind::kRestore;
  second.expected_end = os::UnixMs{1'795'000'009'000};
  ASSERT_TRUE(catalog_->start_job({second, std::nullopt, {}}));
  ASSERT_TRUE(catalog_->add_link_use(kJob, std::vector{use_}));
  const std::vector<Sighting> seen = {{site_of("lsa"), path_of("B")},
                                      {site_of("cloud1"), path_of("C1")}};
  ASSERT_TRUE(catalog_->add_sightings(kObject, second.job, seen, {}));
  const auto jobs = *catalog_->list_jobs({}, {});
  const auto sightings = *catalog_->sightings(kObject);
  ASSERT_EQ(jobs.size(), 2u);
  ASSERT_EQ(sightings.size(), 2u);
  back_to_version_3();
  const std::string index_count = "sqlite_schema WHERE type = 'index' AND tbl_name = 'job'";
  std::uint64_t indexes = 0;
  {
    auto old = raw();
    EXPECT_FALSE(old->execute(insert_job(0x72, "repair")));
    EXPECT_TRUE(old->execute("BEGIN; " + insert_job(0x72, "restore") + "; ROLLBACK"));
    indexes = count(*old, index_count);
  }
  reopen();
  EXPECT_EQ(*catalog_->list_jobs({}, {}), jobs);
  EXPECT_EQ(*catalog_->link_use_of_job(kJob), std::vector{use_});
  EXPECT_EQ(*catalog_->sightings(kObject), sightings);
  EXPECT_TRUE(catalog_->integrity_check());
  for (const JobKind kind :
       {JobKind::kRepair, JobKind::kMove, JobKind::kDelete, JobKind::kRefresh}) {
    Job job = sample_job();
    job.job = id_of<JobId>(static_cast<Byte>(0x80 + static_cast<int>(kind)));
    job.kind = kind;
    ASSERT_TRUE(catalog_->start_job({job, std::nullopt, {}}));
    EXPECT_EQ(catalog_->job(job.job)->kind, kind);
  }
  auto now = raw();
  EXPECT_EQ(*now->query_number("PRAGMA user_version"), kSchemaVersion);
  EXPECT_EQ(count(*now, "pragma_foreign_key_check"), 0u);
  EXPECT_EQ(count(*now, "pragma_foreign_key_list('link_use') WHERE \"table\" = 'job'"), 1u);
  EXPECT_EQ(count(*now, "pragma_foreign_key_list('sighting') WHERE \"table\" = 'job'"), 1u);
  EXPECT_EQ(count(*now, index_count), indexes + 1);  // of jobs with a secret
  EXPECT_FALSE(now->execute("DELETE FROM job WHERE job_id = x'" + kJob.text() + "'"));
}

TEST_F(MigrationTest, TheConnectionThatMigratesHoldsForeignKeysAgain) {
  start_store();
  back_to_version_3();
  auto database = *Database::open(path_);
  ASSERT_TRUE(prepare_schema(*database));
  EXPECT_EQ(*database->query_number("PRAGMA foreign_keys"), 1u);
  EXPECT_EQ(*database->query_number("PRAGMA user_version"), kSchemaVersion);
}

TEST_F(MigrationTest, ABrokenReferenceStopsItAndNothingIsChanged) {
  start_store();
  ASSERT_TRUE(catalog_->add_link_use(kJob, std::vector{use_}));
  back_to_version_3("DELETE FROM job");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, "records that are not there"));
  auto old = raw();
  EXPECT_EQ(*old->query_number("PRAGMA user_version"), 3u);
  EXPECT_EQ(count(*old, "link_use"), 1u);
  EXPECT_EQ(count(*old, "sqlite_schema WHERE name = 'job_with_upkeep'"), 0u);
}

TEST_F(FileTest, ALogWithoutItsFileIsRefused) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  std::filesystem::copy_file(path_ + "-wal", dir_ + "/kept");
  catalog_.reset();
  std::filesystem::remove(path_);
  std::filesystem::copy_file(dir_ + "/kept", path_ + "-wal");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, "its log"));
}

TEST_F(FileTest, ACutFileIsCorrupt) {
  store_and_cut();
  catalog_.reset();
  const std::string whole = read_all();
  for (std::size_t size = whole.size() - 4096; size > 0; size -= 4096) {
    write_all(whole.substr(0, size));
    EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, path_)) << size;
  }
}

TEST_F(FileTest, ANewFileHasNoFreePages) {
  catalog_.reset();
  EXPECT_EQ(*(*Database::open(path_))->query_number("PRAGMA freelist_count"), 0u);
}

TEST_F(FileTest, AZeroedPageIsCorrupt) {
  store_and_cut();
  catalog_.reset();
  const std::string whole = read_all();
  for (std::size_t at = 0; at < whole.size(); at += 4096) {
    std::string bad = whole;
    bad.replace(at, 4096, 4096, '\0');
    write_all(bad);
    EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, path_)) << at / 4096;
  }
}

// Whatever is changed: an error or records, never the end of the process.
TEST_F(FileTest, FlippedBytesDoNoHarm) {
  store_and_cut();
  catalog_.reset();
  const std::string whole = read_all();
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 61) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0xff);
    write_all(bad);
    auto opened = open_sqlite(path_);
    if (!opened) {
      ++refused;
      continue;
    }
    (void)(*opened)->integrity_check();
    (void)(*opened)->list_persons("", {});
    (void)(*opened)->list_objects({}, {});
    (void)(*opened)->list_shares(kObject);
    (void)(*opened)->unfinished_jobs();
  }
  EXPECT_GT(refused, 0u);
}

TEST_F(FileTest, IntegrityCheckFindsBrokenRules) {
  store_and_cut();
  make_durable(kNested);
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  ASSERT_TRUE(catalog_->integrity_check());
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"DROP INDEX share_live; UPDATE share SET path = x'01' WHERE share_id = x'" + kA.text() + "'",
       "two locations"},
      {"UPDATE share SET generation = 2 WHERE share_id = x'" + kNested[0].text() + "'",
       "does not fit its parent"},
      {"UPDATE share SET parent_id = x'" + id_of<ShareId>(1).text() + "' WHERE share_id = x'" +
           kNested[0].text() + "'",
       "rows that are not there"},
      {"DELETE FROM share WHERE length(path) = 2", "has no nested shares"},
      {"UPDATE object SET state = 'deleted'", "has a live share"},
      {"UPDATE share SET state = 'lost' WHERE share_id = x'" + kB.text() + "'", "CHECK"},
  };
  catalog_.reset();
  const std::string good = read_all();
  for (const auto& [sql, finding] : cases) {
    tamper(sql);
    auto opened = open_sqlite(path_);
    const auto checked =
        opened ? (*opened)->integrity_check() : Result<>(std::unexpected(opened.error()));
    EXPECT_TRUE(is_error(checked, Code::kCorrupt, finding)) << sql;
    opened = fail(Code::kCancelled, "closed");
    write_all(good);
  }
}

TEST_F(FileTest, IntegrityCheckFindsAReplacementThatIsGone) {
  store_and_cut();
  ASSERT_TRUE(catalog_->replace_share(kB, replacement(*catalog_->share(kB), 0xb1, "lsb"), {}));
  ASSERT_TRUE(catalog_->integrity_check());
  tamper("DELETE FROM share WHERE share_id = x'" + id_of<ShareId>(0xb1).text() + "'");
  reopen();
  EXPECT_TRUE(is_error(catalog_->integrity_check(), Code::kCorrupt, "nothing has replaced it"));
}

TEST_F(FileTest, ARowOfTheWrongKindIsCorrupt) {
  start_store();
  tamper("UPDATE person SET card = x'00'");
  auto opened = open_sqlite(path_);
  const Result<Person> person =
      opened ? (*opened)->person("P-000123") : Result<Person>(std::unexpected(opened.error()));
  EXPECT_TRUE(is_error(person, Code::kCorrupt, path_));
}

TEST_F(FileTest, ErasedSecretsLeaveTheFile) {
  start_store();
  const std::string marker = "sealed-secret-marker-0123456789";
  ASSERT_TRUE(catalog_->set_job_secret(kJob, Bytes(marker.begin(), marker.end())));
  catalog_.reset();
  EXPECT_NE(read_all().find(marker), std::string::npos);
  reopen();
  ASSERT_TRUE(catalog_->set_job_secret(kJob, {}));
  catalog_.reset();
  EXPECT_EQ(read_all().find(marker), std::string::npos);
}

TEST_F(FileTest, TwoConnectionsShareTheFile) {
  auto second = *open_sqlite(path_);
  ASSERT_TRUE(second->add_person(sample_person()));
  EXPECT_TRUE(catalog_->person("P-000123"));
  EXPECT_TRUE(is_error(catalog_->add_person(sample_person()), Code::kAlreadyExists, "enrolled"));
}

}  // namespace
}  // namespace warifu::catalog
