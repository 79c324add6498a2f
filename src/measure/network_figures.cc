// Stores over six sites: with all key beforehand, and with key that arrives meanwhile.
#include "measure/network_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include <boost/json.hpp>

#include "base/units.h"
#include "measure/bench_network.h"
#include "measure/floor.h"

namespace warifu::measure {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kStoreBytes = 2ULL << 30;
constexpr std::uint64_t kArrivingBytes = 4'000'000'000;
constexpr std::uint64_t kQuickBytes = 32ULL << 20;
constexpr std::uint64_t kPoolsAtMost = 4ULL << 30;  // what devices fill before they stop
constexpr std::uint64_t kMemoryGoal = 256ULL << 20;

std::string text_at(const json::value& object, const char* key) {
  const auto* value = object.is_object() ? object.as_object().if_contains(key) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}
std::uint64_t number_at(const json::value& object, const char* key) {
  const auto* value = object.is_object() ? object.as_object().if_contains(key) : nullptr;
  return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

// A store as it went on, in seconds since its start.
struct Course {
  std::string object;
  double uploaded = 0, committed = 0, ended = 0;
};

// Stores `file`; `meanwhile` is called between looks at the job.
Result<Course> store(const Settings& settings, const BenchNetwork& network, const std::string& file,
                     const std::function<Result<>()>& meanwhile) {
  Course course;
  const double start = seconds_now();
  TRY_ASSIGN(const json::value ticket,
             network.ask({"object", "store", file, "--site", network.site("tommo"), "--person",
                          "P-1", "--no-wait"}));
  course.uploaded = seconds_now() - start;
  course.object = text_at(ticket, "object");
  for (;;) {
    if (stopped(settings)) return fail(Code::kCancelled, "stopped");
    TRY_ASSIGN(const json::value job, network.ask({"job", "show", text_at(ticket, "job"), "--site",
                                                   network.site("tommo")}));
    const std::string state = text_at(job, "state"), step = text_at(job, "step");
    const double now = seconds_now() - start;
    if (course.committed == 0 && (step == "reshare" || step == "done")) course.committed = now;
    if (state == "done") {
      course.ended = now;
      return course;
    }
    if (state == "failed" || state == "cancelled") {
      return fail(Code::kIo, "the store ended: " + text_at(job, "error"));
    }
    if (meanwhile) TRY(meanwhile());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Figure memory_figure(const BenchNetwork& network, std::uint64_t bytes) {
  Figure figure{.name = "memory",
                .unit = "MiB",
                .goal = as_double(kMemoryGoal >> 20),
                .at_most = true,
                .note = "largest VmHWM of any process; file of " + human_bytes(bytes) + "; "};
  for (const auto& [name, peak] : network.peaks()) {
    const double mebibytes = as_double(peak) / as_double(1U << 20);
    figure.value = std::max(figure.value, mebibytes);
    figure.note += fmt::format("{} {:.0f} ", name, mebibytes);
  }
  return figure;
}

// Key of one direction for `bytes` of records, control messages and tags included.
std::string key_for(std::uint64_t bytes) {
  return std::to_string(bytes + bytes / 100 + (8ULL << 20));
}

Result<> restore(const Settings& settings, const BenchNetwork& network, const std::string& object,
                 const std::string& file, const std::string& out) {
  const std::string tommo = network.site("tommo");
  TRY(network.ask({"object", "card-record", object, "--site", tommo, "--card", network.card(),
                   "--pin-file", network.pin()}));
  TRY_ASSIGN(const json::value grant,
             network.ask({"consent", "give", "--site", tommo, "--object", object, "--purpose",
                          "medicine", "--grantee", "bench", "--yes", "--valid", "1d", "--card",
                          network.card(), "--pin-file", network.pin()}));
  TRY(network.ask({"restore", object, "--site", tommo, "--grant", text_at(grant, "grant"), "--as",
                   "bench", "--out", out}));
  return same_bytes(settings, file, out);
}

// Written: staged copy, A, B, C. Read: staged copy; key of B and of C at both ends. Sent: the
// upload, and C (B is key of its link). Copied: the file into three shares.
constexpr Traffic kToCommit{.written = 4, .read = 5, .sent = 2, .copied = 3};
// And the parts C1, C2, C3: written; C and the key of each at both ends read; two sent.
constexpr Traffic kToEnd{.written = 7, .read = 12, .sent = 4, .copied = 6};

}  // namespace

Result<std::vector<Figure>> six_site_store(const Settings& settings) {
  std::uint64_t bytes = settings.size != 0 ? settings.size : kStoreBytes;
  if (settings.quick && settings.size == 0) bytes = kQuickBytes;
  // Key of five directions at both ends, and of the sets while they are taken in; file, staging,
  // shares.
  const std::uint64_t free = room(settings.dir);
  std::string note = "file of " + human_bytes(bytes);
  if (free < bytes * 24) {
    if (free < (kQuickBytes * 24)) {
      return std::vector{not_measured("six_site_store_2g", "the disk is too short")};
    }
    bytes = free / 24 / (1U << 20) * (1U << 20);
    note = fmt::format("file of {} because the disk is short ({} free)", human_bytes(bytes),
                       human_bytes(free));
  }
  TRY_ASSIGN(const auto network,
             BenchNetwork::start(settings, settings.dir,
                                 {"--preshare", key_for(bytes), "--bootstrap", key_for(bytes),
                                  "--back", "16M", "--rate", "1kbit/s"}));
  const std::string file = network->dir() + "/file";
  TRY(make_random_file(settings, file, bytes));
  const std::uint64_t sample = std::min<std::uint64_t>(bytes, 512ULL << 20);
  TRY_ASSIGN(const Floor before, measure_floor(settings, network->dir(), bytes, sample));
  settings.tell("storing " + human_bytes(bytes) + " over six sites");
  TRY_ASSIGN(const Course course, store(settings, *network, file, {}));
  const Figure memory = memory_figure(*network, bytes);
  TRY_ASSIGN(const Floor after, measure_floor(settings, network->dir(), bytes, sample));
  const Floor best{std::min(before.write_seconds, after.write_seconds),
                   std::min(before.read_seconds, after.read_seconds),
                   std::min(before.loopback_seconds, after.loopback_seconds),
                   std::min(before.memory_seconds, after.memory_seconds)};
  const auto row = [&](const char* name, double seconds, double goal, const Traffic& times,
                       const std::string& what) {
    const double floor = best.seconds(times);
    return Figure{
        .name = name,
        .value = as_double(bytes) / seconds / 1e6,
        .unit = "MB/s",
        .ratio = floor / seconds,
        .against = "the same bytes over disk, loopback and memory",
        .goal = goal,
        .note = fmt::format("{}; {} in {:.1f} s, uploaded after {:.1f} s; floor {:.1f} s = {} x "
                            "written {:.1f} + {} x read {:.1f} + {} x sent {:.1f} + {} x copied "
                            "{:.1f}",
                            note, what, seconds, course.uploaded, floor, times.written,
                            best.write_seconds, times.read, best.read_seconds, times.sent,
                            best.loopback_seconds, times.copied, best.memory_seconds)};
  };
  return std::vector{
      row("six_site_store_2g", course.committed, 0.5, kToCommit, "upload to commit"),
      row("six_site_reshare_2g", course.ended, 0, kToEnd, "upload to end of the re-share"), memory};
}

namespace {

// Brings new key to the preshared links of the gateway while a job runs, as a courier would.
class Refill {
 public:
  Refill(const Settings& settings, const BenchNetwork& network, std::uint64_t set_bytes)
      : settings_(settings), network_(network), set_bytes_(set_bytes) {}

  Result<> look() {
    TRY_ASSIGN(const json::value status,
               network_.ask({"link", "status", "--site", network_.site("tuh")}));
    for (const json::value& link : status.at("links").as_array()) {
      if (text_at(link, "class") != "preshared") continue;
      if (number_at(link.at("send"), "available_bytes") > set_bytes_ / 2) continue;
      TRY(bring(text_at(link, "peer")));
    }
    peak_disk = std::max(peak_disk, network_.disk_bytes());
    return {};
  }

  std::uint64_t sets = 0;
  std::uint64_t peak_disk = 0;

 private:
  Result<> bring(const std::string& peer) {
    settings_.tell(fmt::format("bringing key to tuh-{}", peer));
    TRY(network_.ask({"link", "preshare", "--net", network_.net(), "tuh", peer, "--size",
                      std::to_string(set_bytes_), "--back", std::to_string(set_bytes_ / 8), "--out",
                      network_.dir()}));
    for (const std::string& end : {std::string("tuh"), peer}) {
      TRY(network_.ask({"link", "import", "--site", network_.site(end),
                        fmt::format("{}/tuh-{}.{}", network_.dir(), peer, end), "--wipe"}));
    }
    ++sets;
    return {};
  }

  const Settings& settings_;
  const BenchNetwork& network_;
  std::uint64_t set_bytes_;
};

Result<std::uint64_t> key_used(const BenchNetwork& network, const std::string& object) {
  TRY_ASSIGN(const json::value answer,
             network.ask({"explain", object, "--site", network.site("tommo")}));
  std::uint64_t sum = 0;
  for (const json::value& use : answer.at("key_spent").as_array())
    sum += number_at(use, "key_bytes");
  return sum;
}

}  // namespace

Result<std::vector<Figure>> store_with_arriving_key(const Settings& settings) {
  std::uint64_t bytes = settings.size != 0 ? settings.size : kArrivingBytes;
  if (settings.quick && settings.size == 0) bytes = kQuickBytes * 4;
  const std::uint64_t free = room(settings.dir);
  // File, staged copy, five shares, the restored file and one to spare; key of each link at both
  // ends, in sets and in the files of used segments.
  const std::uint64_t needed = bytes * 12 + kPoolsAtMost;
  if (free < needed) {
    return std::vector{
        not_measured("store_4g", fmt::format("the disk has {} free, {} are needed",
                                             human_bytes(free), human_bytes(needed)))};
  }
  const std::uint64_t set_bytes = std::clamp<std::uint64_t>(bytes / 8, 16U << 20, 512U << 20);
  const std::string set_text = std::to_string(set_bytes);
  TRY_ASSIGN(const auto network, BenchNetwork::start(settings, settings.dir,
                                                     {"--preshare", set_text, "--bootstrap", "8M",
                                                      "--rate", "1Gbit/s"}));
  const std::string file = network->dir() + "/file";
  TRY(make_random_file(settings, file, bytes));
  settings.tell("storing " + human_bytes(bytes) + " while key arrives");
  Refill refill(settings, *network, set_bytes);
  const double start = seconds_now();
  TRY_ASSIGN(const Course course, store(settings, *network, file, [&] { return refill.look(); }));
  settings.tell("restoring it");
  TRY(restore(settings, *network, course.object, file, network->dir() + "/back"));
  const double all = seconds_now() - start;
  TRY(refill.look());
  TRY_ASSIGN(const std::uint64_t key, key_used(*network, course.object));
  Figure memory = memory_figure(*network, bytes);
  memory.name = "memory_4g";
  return std::vector{
      Figure{.name = "store_4g",
             .value = course.ended / 60,
             .unit = "min",
             .note = fmt::format(
                 "{} stored, restored and compared in {}; pools of {} refilled {} times while it "
                 "ran, device links 1 Gbit/s of a rate model; key used {}, peak disk {}",
                 human_bytes(bytes), human_seconds(all), human_bytes(set_bytes), refill.sets,
                 human_bytes(key), human_bytes(refill.peak_disk))},
      memory};
}

}  // namespace warifu::measure
