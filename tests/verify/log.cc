// warifu-verify-log: a log of many records, bent in every way, against what a witness has seen.
//
//   warifu-verify-log --dir DIR [--records N] [--every N]
//
// Every bit of the file flipped, every truncation, every swap of two records and a fork at every
// record, the last two with all later hashes made anew, so that the file alone looks right. Each
// must be found by the log's own check or by the root that a witness has co-signed. `--every 7`
// flips each seventh bit. Prints one JSON document, a row per kind, for tools/verify/consent.py;
// exit code 1 when one is not found.
#include "audit/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>

#include <boost/json.hpp>

#include "audit/line.h"
#include "tests/verify/flags.h"

namespace warifu::audit {
namespace {

namespace json = boost::json;

[[noreturn]] void give_up(const Error& error) {
  std::cerr << "warifu-verify-log: " << error.message << "\n";
  std::exit(2);
}

struct Line {
  std::string text;  // without its line feed
  Head before;
  Record record;
};

// What a witness co-signed, and what the file was then.
struct Witnessed {
  std::vector<Line> lines;
  Digest root{};
};

Digest root_of(const std::vector<Digest>& leaves) {
  Tree tree;
  for (const Digest& leaf : leaves) tree.append(leaf);
  const auto read = [&](std::uint64_t first, std::uint64_t count) -> Result<std::vector<Digest>> {
    const auto from = leaves.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector<Digest>(from, from + static_cast<std::ptrdiff_t>(count));
  };
  return *tree.root(tree.size(), read);
}

Witnessed make_log(const std::string& path, std::uint64_t records) {
  {
    auto log = Log::open(os::real_system(), path, *SiteName::parse("lsa"));
    if (!log) give_up(log.error());
    for (std::uint64_t i = 1; i < records; ++i) {
      const auto done = (*log)->append(
          "release",
          {{"object", std::to_string(i)}, {"grantee", "Dr. Suzuki"}, {"purpose", "research"}});
      if (!done) give_up(done.error());
    }
  }
  Witnessed made;
  std::ifstream file(path, std::ios::binary);
  Head before;
  std::vector<Digest> leaves;
  for (std::string text; std::getline(file, text);) {
    auto record = parse_line(text, before);
    if (!record) give_up(record.error());
    made.lines.push_back({text, before, *record});
    leaves.push_back(record->leaf);
    before = {record->sequence, record->hash};
  }
  made.root = root_of(leaves);
  return made;
}

// The log of these texts, or nothing when the log's own check finds it bent.
std::optional<std::vector<Digest>> leaves_of(const std::vector<std::string>& texts) {
  Head before;
  std::vector<Digest> leaves;
  for (const std::string& text : texts) {
    const auto record = parse_line(text, before);
    if (!record) return std::nullopt;
    leaves.push_back(record->leaf);
    before = {record->sequence, record->hash};
  }
  return leaves;
}

struct Tally {
  std::uint64_t tried = 0, missed = 0;
};

// A witness has seen as many records as there are: fewer, or another root, is found.
void judge(Tally& tally, const Witnessed& seen, const std::vector<std::string>& texts) {
  ++tally.tried;
  const auto leaves = leaves_of(texts);
  if (!leaves || leaves->size() < seen.lines.size()) return;
  const std::vector<Digest> first(leaves->begin(),
                                  leaves->begin() + static_cast<std::ptrdiff_t>(seen.lines.size()));
  if (root_of(first) == seen.root) ++tally.missed;
}

// A line is judged by itself: the lines before it are as they were, so it is the first that
// differs.
Tally flips(const Witnessed& seen, std::uint64_t every) {
  Tally tally;
  std::uint64_t count = 0;
  for (const Line& line : seen.lines) {
    std::string bent = line.text + "\n";
    for (std::size_t bit = 0; bit < bent.size() * 8; ++bit) {
      if (count++ % every != 0) continue;
      bent[bit / 8] = static_cast<char>(bent[bit / 8] ^ 1 << bit % 8);
      ++tally.tried;
      const std::size_t feed = bent.find('\n');
      const auto record = feed == std::string::npos
                              ? Result<Record>(fail(Code::kCorrupt, "two lines in one"))
                              : parse_line(std::string_view(bent).substr(0, feed), line.before);
      if (record && (record->leaf == line.record.leaf || feed + 1 != bent.size())) ++tally.missed;
      bent[bit / 8] = static_cast<char>(bent[bit / 8] ^ 1 << bit % 8);
    }
  }
  return tally;
}

std::vector<std::string> texts_of(const Witnessed& seen) {
  std::vector<std::string> texts;
  for (const Line& line : seen.lines) texts.push_back(line.text);
  return texts;
}

Tally truncations(const Witnessed& seen) {
  Tally tally;
  const std::vector<std::string> all = texts_of(seen);
  for (std::size_t count = 0; count < all.size(); ++count) {
    judge(tally, seen, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)});
  }
  return tally;
}

// The same records in another order, or other ones, with good numbers and hashes.
std::vector<std::string> anew(const std::vector<const Record*>& records) {
  std::vector<std::string> texts;
  Head before;
  for (const Record* record : records) {
    auto line = make_line(before, record->salt, record->time, record->event, record->fields);
    if (!line) give_up(line.error());
    line->pop_back();
    const auto parsed = parse_line(*line, before);
    if (!parsed) give_up(parsed.error());
    before = {parsed->sequence, parsed->hash};
    texts.push_back(std::move(*line));
  }
  return texts;
}

std::vector<const Record*> records_of(const Witnessed& seen) {
  std::vector<const Record*> records;
  for (const Line& line : seen.lines) records.push_back(&line.record);
  return records;
}

Tally swaps(const Witnessed& seen, std::uint64_t every) {
  Tally tally;
  std::uint64_t count = 0;
  for (std::size_t a = 0; a < seen.lines.size(); ++a) {
    for (std::size_t b = a + 1; b < seen.lines.size(); ++b) {
      if (count++ % every != 0) continue;
      auto records = records_of(seen);
      std::swap(records[a], records[b]);
      judge(tally, seen, anew(records));
    }
  }
  return tally;
}

// From a record on another history, as long as the true one and longer.
Tally forks(const Witnessed& seen) {
  Tally tally;
  for (std::size_t at = 0; at < seen.lines.size(); ++at) {
    Record other = seen.lines[at].record;
    other.fields.emplace_back("other", "past");
    auto records = records_of(seen);
    records[at] = &other;
    judge(tally, seen, anew(records));
    records.insert(records.end(), 3, &other);
    judge(tally, seen, anew(records));
  }
  return tally;
}

json::object row(std::string_view name, const Tally& tally, std::string_view note) {
  return {{"name", name},        {"value", tally.tried - tally.missed},        {"unit", "found"},
          {"goal", tally.tried}, {"ok", tally.tried > 0 && tally.missed == 0}, {"note", note}};
}

int run(const std::string& dir, std::uint64_t records, std::uint64_t every) {
  const Witnessed seen = make_log(dir + "/audit.log", records);
  const std::array rows = {
      row("log_bits_flipped", flips(seen, every), "by the file alone"),
      row("log_truncations", truncations(seen), "records gone that a witness has seen"),
      row("log_swaps", swaps(seen, every), "two records changed places, all hashes made anew"),
      row("log_forks", forks(seen), "another record from each place on, as long and longer"),
  };
  json::array results;
  bool ok = true;
  for (const json::object& one : rows) {
    ok = ok && one.at("ok").as_bool();
    results.push_back(one);
  }
  std::cout << json::serialize(json::value{{"results", std::move(results)}}) << "\n";
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace warifu::audit

int main(int argc, char** argv) {
  warifu::verify::Flags flags("A bent log against its witness, as figures");
  std::string dir;
  std::uint64_t records = 256, every = 1;
  flags.required_text("--dir", dir, "an empty folder");
  flags.number("--records", records, "of the log", 2, 100'000);
  flags.number("--every", every, "flip or swap one of so many", 1);
  if (const auto code = flags.parse(argc, argv)) return *code;
  return warifu::audit::run(dir, records, every);
}
