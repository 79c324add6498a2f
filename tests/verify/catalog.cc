// warifu-verify-catalog: the catalog at the size of a national biobank.
//
//   warifu-verify-catalog --dir DIR [--persons N]
//
// Fills a catalog in DIR with N persons of ten objects, each with its six shares, as rows of the
// schema that the catalog itself made; then asks it through its own interface. Prints one JSON
// document, a row per promise, for tools/verify/control.py; exit code 1 when one does not hold.
#include "catalog/catalog.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include <boost/json.hpp>

#include "tests/verify/flags.h"

namespace warifu::catalog {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kObjectsOfPerson = 10;
constexpr int kQuestions = 2000;
constexpr std::array kSites = {"tommo", "lsa", "tuh", "cloud1", "cloud2", "cloud3"};

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "warifu-verify-catalog: " << why << "\n";
  std::exit(2);
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

json::object row(std::string_view name, double value, std::string_view unit, double goal, bool ok,
                 std::string note) {
  return {{"name", name}, {"value", value}, {"unit", unit},
          {"goal", goal}, {"ok", ok},       {"note", std::move(note)}};
}

// Identifiers in no order, as random ones are, and the same in every run.
template <typename Id>
Id id_of(std::uint64_t kind, std::uint64_t number) {
  std::mt19937_64 generator(kind << 40U ^ number);
  Id id;
  for (std::size_t at = 0; at < 16; at += 8) {
    const std::uint64_t word = generator();
    std::memcpy(id.bytes.data() + at, &word, 8);
  }
  return id;
}

std::string person_id(std::uint64_t number) {
  return fmt::format("P-{:07}", number);
}

// Rows beside the interface, which makes each object durable by itself.
class Filler {
 public:
  explicit Filler(const std::string& path) {
    check(::sqlite3_open(path.c_str(), &handle_));
    run("PRAGMA synchronous = OFF");
    run("PRAGMA cache_size = -4000000");  // rows of random identifiers land all over the file
    run("BEGIN");
  }
  ~Filler() {
    for (auto& [sql, statement] : statements_) ::sqlite3_finalize(statement);
    ::sqlite3_close(handle_);
  }
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;

  void fill(std::uint64_t persons) {
    for (std::uint64_t person = 0; person < persons; ++person) {
      const std::string id = person_id(person);
      insert("INSERT INTO person VALUES (?, ?, ?, ?)",
             {id, "Person " + id, blob(id_of<CardId>(1, person)), number(person)});
      for (std::uint64_t site = 0; site < kSites.size(); ++site) {
        insert("INSERT INTO pseudonym VALUES (?, ?, ?)",
               {id, kSites[site], blob(id_of<Pseudonym>(2 + site, person))});
      }
      for (std::uint64_t i = 0; i < kObjectsOfPerson; ++i) add_object(id, person * 10 + i);
    }
    run("COMMIT");
    run("ANALYZE");
  }

 private:
  struct Value {
    std::string bytes;
    std::int64_t integer = 0;
    enum class Kind : std::uint8_t { kText, kBlob, kInteger, kNull } kind = Kind::kText;
    Value(const char* text) : bytes(text) {}
    Value(std::string text) : bytes(std::move(text)) {}
    Value(std::int64_t value, Kind k) : integer(value), kind(k) {}
    Value(std::string raw, Kind k) : bytes(std::move(raw)), kind(k) {}
  };
  template <typename Id>
  static Value blob(const Id& id) {
    return {std::string(id.bytes.begin(), id.bytes.end()), Value::Kind::kBlob};
  }
  static Value number(std::uint64_t value) {
    return {static_cast<std::int64_t>(value), Value::Kind::kInteger};
  }
  static Value null() { return {0, Value::Kind::kNull}; }

  void add_object(const std::string& person, std::uint64_t n) {
    const auto object = id_of<ObjectId>(900, n);
    insert(
        "INSERT INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {blob(object), person, "genome.cram", number(16'000'000'000), number(61'036), "committed",
         "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)", number(1),
         number(1'795'000'000'000 + n), number(1'795'000'100'000 + n), "genome.cram", "on_card"});
    const auto parent = id_of<ShareId>(902, n);
    for (std::uint64_t i = 0; i < 6; ++i) {
      const bool nested = i > 2, cut = i == 2;
      const std::string path = nested ? std::string{'\2', static_cast<char>(i - 3)}
                                      : std::string(1, static_cast<char>(i));
      insert(
          "INSERT INTO share VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          {blob(id_of<ShareId>(900 + i, n)), blob(object), nested ? blob(parent) : null(),
           Value(path, Value::Kind::kBlob), number(3), number(1), cut ? null() : Value(kSites[i]),
           kSites[i], cut ? "deleted" : "durable", number(16'000'000'000), "", ""});
    }
  }
  void insert(const std::string& sql, const std::vector<Value>& values) {
    sqlite3_stmt*& statement = statements_[sql];
    if (statement == nullptr) {
      check(::sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr));
    }
    int at = 0;
    for (const Value& value : values) {
      const int size = static_cast<int>(value.bytes.size());
      switch (++at; value.kind) {
        case Value::Kind::kText:
          check(::sqlite3_bind_text(statement, at, value.bytes.data(), size, SQLITE_STATIC));
          break;
        case Value::Kind::kBlob:
          check(::sqlite3_bind_blob(statement, at, value.bytes.data(), size, SQLITE_STATIC));
          break;
        case Value::Kind::kInteger:
          check(::sqlite3_bind_int64(statement, at, value.integer));
          break;
        case Value::Kind::kNull: check(::sqlite3_bind_null(statement, at)); break;
      }
    }
    if (::sqlite3_step(statement) != SQLITE_DONE) give_up(::sqlite3_errmsg(handle_));
    ::sqlite3_reset(statement);
  }
  void run(const char* sql) { check(::sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }
  void check(int code) {
    if (code != SQLITE_OK) give_up(::sqlite3_errmsg(handle_));
  }

  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The slowest but one in a hundred, in milliseconds.
double p99_of(const std::function<void(std::uint64_t)>& ask, std::uint64_t below, int times) {
  std::mt19937_64 generator(7);
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    const std::uint64_t number = generator() % below;
    seconds.push_back(seconds_of([&] { ask(number); }));
  }
  std::ranges::sort(seconds);
  return seconds[seconds.size() * 99 / 100] * 1000;
}

json::object lookups(Catalog& catalog, std::uint64_t persons) {
  const auto ask = [&](std::uint64_t n) {
    const Person person = must(catalog.person(person_id(n / kObjectsOfPerson)));
    must(catalog.person_of_card(person.card));
    const Object object = must(catalog.object(id_of<ObjectId>(900, n)));
    if (object.person_id != person.person_id) give_up("an object is another person's");
    if (must(catalog.list_shares(object.object)).size() != 6) give_up("shares are missing");
  };
  const double p99 = p99_of(ask, persons * kObjectsOfPerson, kQuestions);
  return row("catalog_lookup_p99", p99, "ms", 1, p99 < 1,
             fmt::format("{} persons, {} objects, {} shares; one question: the person by id and by "
                         "card, an object, its shares",
                         persons, persons * 10, persons * 60));
}

json::object pages(Catalog& catalog, std::uint64_t persons) {
  const auto of_person = [&](std::uint64_t n) {
    if (must(catalog.list_objects({.person_id = person_id(n)}, {})).size() != kObjectsOfPerson) {
      give_up("objects of a person are missing");
    }
  };
  const double p99 = p99_of(of_person, persons, kQuestions);
  const double first = p99_of([&](std::uint64_t) { must(catalog.list_objects({}, {})); }, 1, 20);
  const double last = p99_of(
      [&](std::uint64_t) {
        must(catalog.list_objects({}, {.skip = persons * kObjectsOfPerson - 100}));
      },
      1, 5);
  return row("catalog_page_p99", p99, "ms", 10, p99 < 10,
             fmt::format("objects of one person; of all objects the first page {:.2f} ms, the last "
                         "{:.0f} ms",
                         first, last));
}

json::object backup(Catalog& catalog, const std::string& dir) {
  const std::string path = dir + "/backup.db";
  std::atomic<bool> done = false;
  int written = 0;
  double slowest = 0;
  std::jthread writer([&] {
    for (; !done; ++written) {
      const double took = seconds_of([&] {
        must(catalog.put_site({*SiteName::parse("kyoto"), 9, {}, std::to_string(written)}));
      });
      slowest = std::max(slowest, took);
    }
  });
  const double took = seconds_of([&] { must(catalog.back_up(path)); });
  done = true;
  writer.join();
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  must(open_sqlite(path));
  return row("catalog_backup", took, "s", 0, written > 0,
             fmt::format("{:.0f} MB while {} changes were made, the slowest of {:.0f} ms",
                         bytes / 1e6, written, slowest * 1000));
}

int run(const std::string& dir, std::uint64_t persons) {
  const std::string path = dir + "/catalog.db";
  must(open_sqlite(path));
  const double filled = seconds_of([&] { Filler(path).fill(persons); });
  const auto catalog = must(open_sqlite(path));
  json::array rows;
  rows.push_back(lookups(*catalog, persons));
  rows.push_back(pages(*catalog, persons));
  rows.push_back(backup(*catalog, dir));
  const double checked = seconds_of([&] { must(catalog->integrity_check()); });
  rows.push_back(row("catalog_check", checked, "s", 0, true,
                     fmt::format("every page and every rule; filled in {:.0f} s", filled)));
  bool ok = true;
  for (const auto& one : rows) ok = ok && one.at("ok").as_bool();
  std::cout << json::serialize(json::object{{"results", rows}}) << "\n";
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace warifu::catalog

int main(int argc, char** argv) {
  warifu::verify::Flags flags("The catalog at scale.");
  std::string dir;
  std::uint64_t persons = 100'000;
  flags.required_text("--dir", dir, "an empty folder");
  flags.number("--persons", persons, "so many, each with ten objects");
  if (const auto code = flags.parse(argc, argv)) return *code;
  return warifu::catalog::run(dir, persons);
}
