// warifu-verify-audit: audits and the holders' own checks held against what is promised of them.
//
//   warifu-verify-audit --dir DIR [--only NAME] [--bytes N]
//
// Three stores in DIR hold the shares of an object under 2 of 3; everything is the code that sites
// run, but for the channel between them: bytes on the wire are those of the encoded requests and
// replies, key is these and 16 bytes for the tag of each frame. Prints one JSON document, a row per
// promise, for tools/verify/control.py; exit code 1 when one does not hold.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>

#include <boost/json.hpp>

#include "channel/message.h"
#include "store/directory_files.h"
#include "store/share_store.h"
#include "tests/verify/flags.h"
#include "upkeep/share_hash.h"

namespace warifu::upkeep {
namespace {

namespace json = boost::json;

constexpr std::size_t kHolders = 3;
constexpr std::size_t kSmallBytes = 4096;
constexpr std::size_t kFrameTag = 16;

json::object row(std::string_view name, double value, std::string_view unit, double goal, bool ok,
                 std::string_view note) {
  return {{"name", name}, {"value", value}, {"unit", unit},
          {"goal", goal}, {"ok", ok},       {"note", note}};
}

[[noreturn]] void give_up(const Error& error) {
  std::cerr << "warifu-verify-audit: " << error.message << "\n";
  std::exit(2);
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

SiteName site_of(std::size_t holder) {
  return must(SiteName::parse(std::string(1, static_cast<char>('a' + holder))));
}

// Shares of random data of `bytes`, one in each of three stores.
class CutObject {
 public:
  CutObject(const std::string& dir, std::uint64_t bytes) : dir_(dir) {
    const sharing::Scheme scheme;
    const sharing::RecordLayout records =
        sharing::RecordLayout(sharing::Chunking{{bytes}}).below(scheme);
    std::vector<std::unique_ptr<store::ShareWriter>> writers;
    for (std::size_t i = 0; i < kHolders; ++i) {
      stores_.push_back(must(store::open_directory_store(os::real_files(), folder(i))));
      store::ShareHeader header;
      header.share.bytes.fill(static_cast<Byte>(i + 1));
      header.object.bytes.fill(9);
      header.scheme = scheme;
      header.index = static_cast<std::uint8_t>(i);
      header.object_length = bytes;
      header.chunk_count = records.count();
      header.full_record_bytes = records.full_bytes();
      header.last_record_bytes = records.last_bytes();
      header.policy = "2 of (a, b, c)";
      os::kernel_random().fill(header.check_key);
      must(stores_[i]->remove(header.share));
      writers.push_back(must(stores_[i]->create(header)));
      shares_.push_back(header.share);
    }
    write(records, writers);
    for (const auto& writer : writers) must(writer->commit());
  }
  ~CutObject() {
    for (std::size_t i = 0; i < kHolders; ++i) (void)stores_[i]->remove(shares_[i]);
  }
  CutObject(const CutObject&) = delete;
  CutObject& operator=(const CutObject&) = delete;

  [[nodiscard]] store::ShareStore& store(std::size_t i) { return *stores_[i]; }
  [[nodiscard]] const ShareId& share(std::size_t i) const { return shares_[i]; }
  [[nodiscard]] std::string path(std::size_t i) const {
    return folder(i) + "/" + shares_[i].text() + std::string(store::kCommittedEnding);
  }

 private:
  [[nodiscard]] std::string folder(std::size_t i) const { return dir_ + "/" + site_of(i).text(); }
  void write(const sharing::RecordLayout& records,
             std::vector<std::unique_ptr<store::ShareWriter>>& writers) {
    std::mt19937_64 generator(1);
    const sharing::ShareIndex given[] = {sharing::ShareIndex::kA};
    const auto splitter = must(sharing::Splitter::make(sharing::Scheme(), given));
    for (std::uint64_t i = 0; i < records.count(); ++i) {
      std::array<Bytes, 4> bytes;  // secret, A, B, C
      for (Bytes& one : bytes) one.resize(records.length({i}));
      for (std::size_t at = 0; at < bytes[0].size(); at += 8) {
        for (const std::size_t drawn : {std::size_t{0}, std::size_t{1}}) {
          const std::uint64_t word = generator();
          std::memcpy(bytes[drawn].data() + at, &word, 8);
        }
      }
      const ByteView fixed[] = {bytes[1]};
      const MutableBytes made[] = {bytes[2], bytes[3]};
      splitter.split(bytes[0], fixed, made);
      for (std::size_t share = 0; share < kHolders; ++share) {
        must(writers[share]->append(bytes[share + 1]));
      }
    }
  }

  std::string dir_;
  std::vector<std::unique_ptr<store::ShareStore>> stores_;
  std::vector<ShareId> shares_;
};

AuditRound round_of_three() {
  AuditRound round;
  round.session = os::random_id<JobId>(os::kernel_random());
  os::kernel_random().fill(round.key);
  AuditSum sum;
  for (std::uint8_t i = 0; i < kHolders; ++i)
    sum.chain.push_back({site_of(i), {.top = i, .part = {}}});
  round.sums.push_back(sum);
  return round;
}

// Out of the page cache, so that the next pass reads the disk.
void drop_cache(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)::fdatasync(file);
  (void)::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double read_plainly(const std::string& path) {
  drop_cache(path);
  return seconds_of([&] {
    const auto file = must(os::real_files().open(path, os::OpenMode::kRead));
    Bytes piece(256 << 10);
    for (std::uint64_t at = 0;;) {
      const std::size_t got = must(file->read_at(at, piece));
      if (got == 0) break;
      at += got;
    }
  });
}

mac::Tag hash_share(CutObject& object, std::size_t holder, const AuditRound& round) {
  const auto reader = must(object.store(holder).open(object.share(holder)));
  auto hash = must(ShareHash::make(reader->header(), round, site_of(holder)));
  secret::Buffer record(reader->layout().record_length({0}));
  for (std::uint64_t i = 0; i < reader->layout().chunk_count(); ++i) {
    const MutableBytes bytes = record.bytes().first(reader->layout().record_length({i}));
    must(reader->read({i}, 1, bytes));
    hash.add({i}, bytes);
  }
  return hash.finish().front();
}

// What an audit of three shares sends over direct links: frames and bytes.
struct Traffic {
  std::size_t frames = 0, bytes = 0;
  void add(const Bytes& payload) {
    ++frames;
    bytes += payload.size();
  }
  void ask(AuditMethod method, std::size_t from, std::size_t to, Bytes body) {
    add(channel::encode(channel::Request{.from = site_of(from),
                                         .to = site_of(to),
                                         .method = number(method),
                                         .body = std::move(body)}));
  }
};

Traffic traffic_of(const AuditRound& round) {
  Traffic traffic;
  for (std::size_t i = 1; i < kHolders; ++i) {  // the first holder is share control
    traffic.ask(AuditMethod::kOrder, 0, i, encode(AuditOrder{ShareId{}, round}));
    traffic.add(channel::encode(channel::Reply{}));
    traffic.ask(AuditMethod::kAudit, 0, i, encode_session(round.session));
    traffic.add(channel::encode(channel::Reply{.body = encode(std::vector<mac::Tag>(1))}));
  }
  for (std::size_t i = 0; i + 1 < kHolders; ++i) {
    traffic.ask(AuditMethod::kMask, i, i + 1, encode(AuditMask{.session = round.session}));
    traffic.add(channel::encode(channel::Reply{}));
  }
  return traffic;
}

json::array audit_rows(const std::string& dir, std::uint64_t bytes) {
  CutObject object(dir, bytes);
  const AuditRound round = round_of_three();
  mac::Tag sum{};
  double plain = 0, audited = 0;
  for (std::size_t i = 0; i < kHolders; ++i) {
    const double before = read_plainly(object.path(i));
    drop_cache(object.path(i));
    audited += seconds_of([&] {
      const mac::Tag tag = hash_share(object, i, round);
      for (std::size_t b = 0; b < tag.size(); ++b) sum[b] = static_cast<Byte>(sum[b] ^ tag[b]);
    });
    // The faster of two: what lies below the page cache may remember the file by now.
    plain += std::min(before, read_plainly(object.path(i)));
  }
  const Traffic traffic = traffic_of(round);
  const double each = static_cast<double>(bytes) / 1e6;
  const bool zero = sum == mac::Tag{};
  const std::size_t key = traffic.bytes + traffic.frames * kFrameTag + 2 * mac::kBlockBytes;
  return {row("audit_wire", static_cast<double>(traffic.bytes), "bytes", 2000,
              zero && traffic.bytes < 2000,
              fmt::format("three shares of {:.0f} MB, {} frames; answers are 16 bytes each", each,
                          traffic.frames)),
          row("audit_key", static_cast<double>(key), "bytes", 4000, zero && key < 4000,
              "pads and tags of these frames, and two masks of 16 bytes of random numbers"),
          row("audit_seconds", audited / kHolders, "s", plain / kHolders / 0.5,
              zero && audited < plain / 0.5,
              fmt::format(
                  "a holder's pass, {:.0f} MB/s, its checks too; the disk alone {:.0f} MB/s "
                  "in the same run; the sum was {}",
                  each * kHolders / audited, each * kHolders / plain, zero ? "zero" : "NOT ZERO"))};
}

// Whether a store finds fault with its share: what a scrub looks at.
bool finds_damage(store::ShareStore& store, const ShareId& share) {
  const auto reader = store.open(share);
  if (!reader || !(*reader)->header_damage().empty()) return true;
  Bytes record((*reader)->layout().record_length({0}));
  for (std::uint64_t i = 0; i < (*reader)->layout().chunk_count(); ++i) {
    if (!(*reader)->verify({i}, record)) return true;
  }
  return false;
}

json::array flip_rows(const std::string& dir, std::uint64_t) {
  CutObject object(dir, kSmallBytes);
  std::size_t flips = 0, unchecked = 0, blamed_wrong = 0;
  for (std::size_t holder = 0; holder < kHolders; ++holder) {
    const auto file = must(os::real_files().open(object.path(holder), os::OpenMode::kReadWrite));
    const std::uint64_t size = must(file->size());
    for (std::uint64_t at = 0; at < size; ++at) {
      Bytes byte(1);
      must(file->read_exact_at(at, byte));
      const Byte good = byte[0];
      byte[0] = static_cast<Byte>(good ^ (1U << (at % 8)));
      must(file->write_at(at, byte));
      ++flips;
      unchecked += finds_damage(object.store(holder), object.share(holder)) ? 0U : 1U;
      const std::size_t other = (holder + 1) % kHolders;
      if (at % 64 == 0 && finds_damage(object.store(other), object.share(other))) ++blamed_wrong;
      byte[0] = good;
      must(file->write_at(at, byte));
    }
  }
  return {row("share_flips_unchecked", static_cast<double>(unchecked), "bytes", 0,
              unchecked == 0 && blamed_wrong == 0,
              fmt::format("{} single flips over three whole share files (headers, records, checks, "
                          "gaps): each told by its own holder, none by another",
                          flips))};
}

int run(int argc, char** argv) {
  verify::Flags flags("Audits and checks of shares held against what is promised of them");
  std::string dir, only;
  std::uint64_t bytes = 1ULL << 30;
  flags.required_text("--dir", dir, "an empty folder on the disk to measure");
  flags.text("--only", only, "audit or flips");
  flags.number("--bytes", bytes, "of the audited object", 1U, 1ULL << 40);
  if (const auto code = flags.parse(argc, argv)) return *code;
  json::array results;
  if (only != "audit") results = flip_rows(dir, bytes);
  if (only != "flips") {
    for (auto& one : audit_rows(dir, bytes)) results.push_back(std::move(one));
  }
  std::cout << json::serialize(json::object{{"results", results}}) << "\n";
  return std::ranges::all_of(results, [](const auto& one) { return one.at("ok").as_bool(); }) ? 0
                                                                                              : 1;
}

}  // namespace
}  // namespace warifu::upkeep

int main(int argc, char** argv) {
  return warifu::upkeep::run(argc, argv);
}
