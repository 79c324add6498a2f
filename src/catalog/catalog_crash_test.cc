// Death in the middle of a change: copies of file and log, taken between the statements and cut at
// any place of the log, show all of the change or nothing of it.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "catalog/catalog_test_support.h"

namespace warifu::catalog {
namespace {

// Called at the beginning of every statement of every connection made while it lives.
std::function<void()> on_statement;

int watch(unsigned, void*, void*, void*) {
  if (on_statement) on_statement();
  return 0;
}

// A page cache of one page: changes reach the log before their transaction ends.
int attach(sqlite3* database, char**, const sqlite3_api_routines*) {
  ::sqlite3_exec(database, "PRAGMA cache_size = 1", nullptr, nullptr, nullptr);
  return ::sqlite3_trace_v2(database, SQLITE_TRACE_STMT, watch, nullptr);
}

struct Files {
  std::string database;
  std::string log;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// While it lives, every new connection is watched.
class Watch {
 public:
  Watch() { ::sqlite3_auto_extension(reinterpret_cast<void (*)()>(attach)); }
  ~Watch() {
    on_statement = nullptr;
    ::sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(attach));
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
};

class CrashTest : public testing::Test, protected Watch, protected CatalogHome {
 protected:
  Files copy() { return {read_all(path_), read_all(path_ + "-wal")}; }

  // Everything that the changes of this test may touch, as one text.
  static std::string state_of(Catalog& catalog) {
    std::ostringstream text;
    const auto sites = *catalog.list_sites();
    for (const Site& site : sites) text << site.site.text() << site.labels.size() << ' ';
    const auto objects = *catalog.list_objects({}, {});
    for (const Object& object : objects) {
      text << object.object.text() << state_name(object.state) << ' ';
      const auto shares = *catalog.list_shares(object.object);
      for (const Share& share : shares) {
        text << share.share.text() << state_name(share.state) << (share.site ? "@" : "-") << ' ';
      }
      text << catalog.sightings(object.object)->size() << ' ';
    }
    const auto jobs = *catalog.list_jobs({}, {});
    for (const Job& job : jobs) {
      text << job.job.text() << state_name(job.state);
      const auto uses = *catalog.link_use_of_job(job.job);
      for (const LinkUse& use : uses) text << ' ' << use.key_bytes;
    }
    return text.str();
  }

  // What a restart finds in these files; an error is a text that no state has.
  std::string state_after(const Files& files) {
    const std::string path = dir_ + "/after.db";
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(path + ending);
    std::ofstream(path, std::ios::binary) << files.database;
    std::ofstream(path + "-wal", std::ios::binary) << files.log;
    auto opened = open_sqlite(path);
    if (!opened) return opened.error().message;
    if (auto checked = (*opened)->integrity_check(); !checked) return checked.error().message;
    return state_of(**opened);
  }

  using Change = std::function<Result<>(Catalog&)>;

  // Does `change`; returns how many of the copies and of the cuts of the log show a part of it.
  std::size_t states_between(const Change& change) {
    reopen();  // the log is empty: it will hold this change alone
    const std::string before = state_of(*catalog_);
    std::vector<Files> copies;
    on_statement = [&] { copies.push_back(copy()); };
    const auto changed = change(*catalog_);
    on_statement = nullptr;
    EXPECT_TRUE(changed) << changed.error().message;
    const std::string after = state_of(*catalog_);
    const Files last = copy();
    EXPECT_NE(before, after);
    EXPECT_GT(copies.size(), 2u);
    EXPECT_EQ(state_after(last), after);

    std::size_t between = 0;
    const auto judge = [&](const Files& files) {
      const std::string state = state_after(files);
      if (state != before && state != after) ++between;
    };
    for (const Files& files : copies) judge(files);
    for (std::size_t size = 0; size < last.log.size(); size += 512) {
      judge({last.database, last.log.substr(0, size)});
      Files garbled = last;
      for (std::size_t i = size; i < std::min(size + 512, garbled.log.size()); ++i) {
        garbled.log[i] = static_cast<char>(garbled.log[i] ^ 0x5a);
      }
      judge(garbled);
    }
    return between;
  }

  void crash_in(const char* name, const Change& change) {
    EXPECT_EQ(states_between(change), 0u) << name;
  }
};

TEST_F(CrashTest, PartsAreGivenUpAndPlannedAnewAllOrNone) {
  store_and_cut();
  const std::vector<Sighting> seen = {{site_of("cloud1"), path_of("C1")}};
  std::vector<Share> again = nested_shares();
  for (Share& part : again) part.share.bytes[1] ^= 0xff;
  crash_in("give_up_parts", [](Catalog& catalog) { return catalog.give_up_parts(kC); });
  crash_in("plan_shares again",
           [&](Catalog& catalog) { return catalog.plan_shares(kObject, kJob, again, seen, {}); });
  crash_in("replace_parts", [&](Catalog& catalog) {
    std::vector<Share> fresh = nested_shares();
    for (Share& part : fresh) {
      part.share.bytes[2] ^= 0xff;
      part.state = ShareState::kPlanned;
    }
    return catalog.replace_parts(kC, fresh);
  });
}

TEST_F(CrashTest, EveryChangeIsAllOrNothing) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  crash_in("put_site", [](Catalog& catalog) {
    return catalog.put_site({site_of("tuh"), 3, {"hospital", "gateway"}, "tuh:7000"});
  });
  crash_in("start_job", [](Catalog& catalog) {
    return catalog.start_job({sample_job(), sample_object(), top_shares()});
  });
  make_durable({kA, kB, kC});
  crash_in("commit_object", [](Catalog& catalog) { return catalog.commit_object(kObject, {5}); });
  const std::vector<Sighting> parts = {{site_of("cloud1"), path_of("C1")},
                                       {site_of("cloud2"), path_of("C2")}};
  crash_in("plan_shares", [&](Catalog& catalog) {
    return catalog.plan_shares(kObject, kJob, nested_shares(), parts, {});
  });
  crash_in("move_location", [](Catalog& catalog) { return catalog.move_location(kC, kNested); });
  crash_in("replace_share", [](Catalog& catalog) -> Result<> {
    TRY_ASSIGN(const Share old, catalog.share(kNested[1]));
    return catalog.replace_share(old.share, replacement(old, 0xd2, "cloud4"), {});
  });
  const auto fresh = next_generation(*catalog_->list_shares(kObject));
  std::vector<Share> writing;
  for (const Share& share : fresh) {
    if (share.share.bytes[0] != kNested[1].bytes[0]) writing.push_back(share);
  }
  crash_in("next generation", [&](Catalog& catalog) { return catalog.add_shares(writing); });
  crash_in("commit_generation", [&](Catalog& catalog) {
    return catalog.commit_generation(kObject, 2, kJob,
                                     std::vector<Sighting>{{site_of("lsa"), path_of("B")}}, parts);
  });
  crash_in("add_link_use", [](Catalog& catalog) {
    const LinkUse use{site_of("tommo"), site_of("lsa"), "qkd", "HARDWARE", 100, 16, 116};
    LinkUse back = use;
    std::swap(back.from, back.to);
    return catalog.add_link_use(kJob, std::vector{use, back});
  });
  crash_in("add_sightings", [](Catalog& catalog) {
    return catalog.add_sightings(
        kObject, kJob,
        std::vector<Sighting>{{site_of("tuh"), path_of("C")}, {site_of("lsa"), path_of("B")}},
        std::vector<Sighting>{{site_of("lsa"), path_of("B")}});
  });
  crash_in("delete_object", [](Catalog& catalog) { return catalog.delete_object(kObject); });
}

TEST_F(CrashTest, AFailingStoreIsAllOrNothing) {
  start_store();
  crash_in("fail_object", [](Catalog& catalog) { return catalog.fail_object(kObject); });
}

// Two calls are two changes: the harness sees the state between them.
TEST_F(CrashTest, NegativeControl) {
  start_store();
  EXPECT_GT(states_between([](Catalog& catalog) -> Result<> {
              TRY(catalog.set_share_state(kA, ShareState::kDurable));
              return catalog.set_share_state(kB, ShareState::kDurable);
            }),
            0u);
}

// A process that dies while it makes the file leaves no file of that name, and what it leaves does
// not disturb the next one.
TEST_F(CrashTest, MakingTheFile) {
  catalog_.reset();
  std::filesystem::remove(path_);
  int statements_before_the_name = 0;
  std::vector<Files> unfinished;
  on_statement = [&] {
    if (std::filesystem::exists(path_)) return;
    ++statements_before_the_name;
    unfinished.push_back({read_all(path_ + ".new"), read_all(path_ + ".new-wal")});
  };
  reopen();
  on_statement = nullptr;
  EXPECT_GT(statements_before_the_name, 10);
  catalog_.reset();
  for (const Files& files : unfinished) {
    std::filesystem::remove(path_);
    std::ofstream(path_ + ".new", std::ios::binary) << files.database;
    std::ofstream(path_ + ".new-wal", std::ios::binary) << files.log;
    auto made = open_sqlite(path_);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE((*made)->integrity_check());
    EXPECT_FALSE(std::filesystem::exists(path_ + ".new-wal"));
  }
}

}  // namespace
}  // namespace warifu::catalog
