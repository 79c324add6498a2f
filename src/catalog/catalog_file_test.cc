// The file itself: damage, other files, newer versions, rights, erased secrets.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "catalog/catalog_test_support.h"
#include "catalog/schema.h"

namespace warifu::catalog {
namespace {

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
  tamper("PRAGMA user_version = 5");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kInvalidArgument,
                       "has schema version 5; this program knows versions up to 4"));
  tamper("PRAGMA user_version = 1");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kInvalidArgument,
                       "has schema version 1; this program reads versions from 2"));
  tamper("PRAGMA user_version = 0");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, path_));
  tamper("PRAGMA user_version = 4; PRAGMA application_id = 77");
  EXPECT_TRUE(is_error(open_sqlite(path_), Code::kCorrupt, "not a catalog of this program"));
  tamper("PRAGMA application_id = " + std::to_string(kApplicationId));
  EXPECT_TRUE(open_sqlite(path_));
}

TEST_F(FileTest, AnOlderVersionIsMigratedAndKeepsItsRecords) {
  start_store();
  tamper("DROP TABLE sighting; PRAGMA user_version = 2");
  catalog_ = *open_sqlite(path_);
  EXPECT_TRUE(catalog_->person(sample_person().person_id));
  EXPECT_TRUE(catalog_->job(kJob));
  EXPECT_TRUE(
      catalog_->add_sightings(kObject, kJob, std::vector<Sighting>{{site_of("lsa"), 1, {}}}));
  EXPECT_TRUE(catalog_->integrity_check());
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
      {"DROP INDEX share_live; UPDATE share SET idx = 1 WHERE share_id = x'" + kA.text() + "'",
       "two locations"},
      {"UPDATE share SET generation = 2 WHERE share_id = x'" + kNested[0].text() + "'",
       "does not fit its parent"},
      {"UPDATE share SET parent_id = x'" + id_of<ShareId>(1).text() + "' WHERE share_id = x'" +
           kNested[0].text() + "'",
       "rows that are not there"},
      {"DELETE FROM share WHERE level = 1", "has no nested shares"},
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
