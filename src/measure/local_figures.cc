// `warifu split` and `warifu combine` against gfsplit and gfcombine, and at 16 GB against the disk.
#include "measure/local_figures.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "base/limits.h"
#include "base/units.h"
#include "measure/process.h"
#include "os/system.h"

namespace warifu::measure {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPeerBytes = 512ULL << 20;
constexpr std::uint64_t kQuickBytes = 16ULL << 20;
constexpr std::uint64_t kLargeBytes = 16'000'000'000;
constexpr std::uint64_t kSmallerBytes = 8'000'000'000;
constexpr const char* kPeerMissing = "not installed: apt-get install libgfshare-bin";

struct Costs {
  std::vector<double> wall, user;
  void add(const Ran& ran) {
    wall.push_back(ran.wall_seconds);
    user.push_back(ran.user_seconds);
  }
};

std::uint64_t peer_bytes(const Settings& settings) {
  if (settings.size != 0) return settings.size;
  return settings.quick ? kQuickBytes : kPeerBytes;
}

// Enough for one cut of 2 of 3 with its hash key and tags.
std::uint64_t random_needed(std::uint64_t bytes) {
  return bytes + (bytes / limits::kChunkBytes + 2) * 64 + 16;
}

// The two rows of one comparison.
void compare(std::vector<Figure>& figures, const std::string& name, std::uint64_t bytes,
             const Costs& own, const Costs& peer, const std::string& against,
             std::array<double, 2> goals, const std::string& note) {
  const double wall = median(own.wall);
  figures.push_back({.name = name + "_wall",
                     .value = as_double(bytes) / wall / 1e6,
                     .unit = "MB/s",
                     .ratio = median(peer.wall) / wall,
                     .against = against + ", wall time",
                     .goal = goals[0],
                     .note = note});
  if (goals[1] == 0) return;
  const double user = std::max(median(own.user), 1e-3);
  figures.push_back({.name = name + "_user_cpu",
                     .value = user,
                     .unit = "s",
                     .ratio = median(peer.user) / user,
                     .against = against + ", user CPU",
                     .goal = goals[1],
                     .note = note});
}

std::vector<std::string> split_words(const Settings& settings, const std::string& file,
                                     const std::string& out, const std::string& random) {
  std::vector<std::string> words = {settings.program, "split", file, "--out", out};
  if (!random.empty()) words.insert(words.end(), {"--random", random});
  return words;
}

std::vector<std::string> combine_words(const Settings& settings, const std::string& shares,
                                       const char* first, const char* second,
                                       const std::string& out) {
  const std::string stem = shares + "/file.";
  return {settings.program,
          "combine",
          stem + first + ".share",
          stem + second + ".share",
          "--record",
          stem + "record",
          "--out",
          out};
}

}  // namespace

Result<std::vector<Figure>> split_vs_gfsplit(const Settings& settings) {
  if (!installed("gfsplit")) return std::vector{not_measured("split_vs_gfsplit", kPeerMissing)};
  const std::uint64_t bytes = peer_bytes(settings);
  const std::string parent = memory_dir(settings, bytes * 10);
  TRY_ASSIGN(const Scratch scratch, Scratch::make(parent));
  TRY(make_random_file(settings, scratch / "file", bytes));
  TRY(make_random_file(settings, scratch / "random", random_needed(bytes)));
  Costs peer, generated, given;
  for (int round = 0; round < (settings.quick ? 1 : 3); ++round) {
    settings.tell(fmt::format("split against gfsplit, round {}", round + 1));
    fs::create_directory(scratch / "peer");
    TRY_ASSIGN(const Ran theirs, run_good(settings, {"gfsplit", "-n", "2", "-m", "3",
                                                     scratch / "file", scratch / "peer/share"}));
    peer.add(theirs);
    fs::remove_all(scratch / "peer");
    for (const bool from_file : {false, true}) {
      TRY_ASSIGN(const Ran ours,
                 run_good(settings, split_words(settings, scratch / "file", scratch / "own",
                                                from_file ? scratch / "random" : "")));
      (from_file ? given : generated).add(ours);
      fs::remove_all(scratch / "own");
    }
  }
  std::vector<Figure> figures;
  const std::string where = parent == "/dev/shm" ? " on tmpfs" : " on disk (no tmpfs with room)";
  const std::string size = human_bytes(bytes) + " to 3 share files" + where;
  compare(figures, "split_vs_gfsplit", bytes, generated, peer, "gfsplit -n 2 -m 3", {8, 40},
          size + "; random numbers by the AES-256-CTR generator");
  compare(figures, "split_random_file_vs_gfsplit", bytes, given, peer, "gfsplit -n 2 -m 3", {8, 40},
          size + "; random numbers from a file");
  return figures;
}

Result<std::vector<Figure>> combine_vs_gfcombine(const Settings& settings) {
  if (!installed("gfcombine")) {
    return std::vector{not_measured("combine_vs_gfcombine", kPeerMissing)};
  }
  const std::uint64_t bytes = peer_bytes(settings);
  TRY_ASSIGN(const Scratch scratch, Scratch::make(memory_dir(settings, bytes * 10)));
  TRY(make_random_file(settings, scratch / "file", bytes));
  fs::create_directory(scratch / "peer");
  TRY(run_good(settings,
               {"gfsplit", "-n", "2", "-m", "3", scratch / "file", scratch / "peer/share"}));
  TRY(run_good(settings, split_words(settings, scratch / "file", scratch / "own", "")));
  std::vector<std::string> peer_words = {"gfcombine", "-o", scratch / "peer-back"};
  for (const auto& entry : fs::directory_iterator(scratch / "peer")) {
    if (peer_words.size() < 5) peer_words.push_back(entry.path().string());
  }
  Costs peer, own;
  for (int round = 0; round < (settings.quick ? 1 : 3); ++round) {
    settings.tell(fmt::format("combine against gfcombine, round {}", round + 1));
    TRY_ASSIGN(const Ran theirs, run_good(settings, peer_words));
    peer.add(theirs);
    fs::remove(scratch / "peer-back");
    TRY_ASSIGN(const Ran ours, run_good(settings, combine_words(settings, scratch / "own", "A", "B",
                                                                scratch / "back")));
    own.add(ours);
    if (round == 0) TRY(same_bytes(settings, scratch / "file", scratch / "back"));
    fs::remove(scratch / "back");
  }
  std::vector<Figure> figures;
  compare(figures, "combine_vs_gfcombine", bytes, own, peer, "gfcombine", {3, 0},
          human_bytes(bytes) + " from two share files, verified; user CPU " +
              fmt::format("{:.2f} s against {:.2f} s", median(own.user), median(peer.user)));
  return figures;
}

namespace {

struct DiskRates {
  double write = 0, read = 0;  // bytes per second
};

// Writing `bytes` in pieces with one sync at the end, and reading them back cold where that can be.
Result<DiskRates> disk_rates(const Settings& settings, const std::string& path,
                             std::uint64_t bytes) {
  DiskRates rates;
  double start = seconds_now();
  TRY_ASSIGN(const auto file, os::real_files().open(path, os::OpenMode::kCreate));
  Bytes piece(1U << 20, 0x5a);
  for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
    if (stopped(settings)) return fail(Code::kCancelled, "stopped");
    TRY(file->write_at(at, piece));
  }
  file->sync();
  rates.write = as_double(bytes) / (seconds_now() - start);
  start = seconds_now();
  for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
    if (stopped(settings)) return fail(Code::kCancelled, "stopped");
    TRY(file->read_exact_at(at, piece));
  }
  rates.read = as_double(bytes) / (seconds_now() - start);
  fs::remove(path);
  return rates;
}

}  // namespace

Result<std::vector<Figure>> split_16g(const Settings& settings) {
  const std::uint64_t free = room(settings.dir);
  std::uint64_t bytes = settings.size;
  if (bytes == 0) bytes = settings.quick ? kQuickBytes : kLargeBytes;
  std::string note = human_bytes(bytes);
  // The file, three shares and one restored copy, within the 60 GB of a bench.
  if (settings.size == 0 && (bytes * 5 + (2ULL << 30) > free || bytes * 5 > 60'000'000'000)) {
    bytes = kSmallerBytes;
    note = human_bytes(bytes) + " because the disk is short (" + human_bytes(free) + " free)";
  }
  if (bytes * 5 > free) {
    return std::vector{not_measured("split_16g", "the disk has " + human_bytes(free) + " free, " +
                                                     human_bytes(bytes * 5) + " are needed")};
  }
  TRY_ASSIGN(const Scratch scratch, Scratch::make(settings.dir));
  settings.tell("rate of the disk");
  TRY_ASSIGN(const DiskRates disk, disk_rates(settings, scratch / "rate", bytes / 4));
  settings.tell("making a file of " + human_bytes(bytes));
  TRY(make_random_file(settings, scratch / "file", bytes));
  settings.tell("splitting it");
  TRY_ASSIGN(const Ran cut,
             run_good(settings, split_words(settings, scratch / "file", scratch / "own", "")));
  const double size = as_double(bytes);
  const auto floor_of = [&](double read, double written) {
    return read / disk.read + written / disk.write;
  };
  const std::string rate = fmt::format("disk in this run: writes {:.0f}, reads {:.0f} MB/s",
                                       disk.write / 1e6, disk.read / 1e6);
  std::vector<Figure> figures = {{.name = "split_16g",
                                  .value = cut.wall_seconds,
                                  .unit = "s",
                                  .ratio = floor_of(size, 3 * size) / cut.wall_seconds,
                                  .against = "disk: the file read, three shares written",
                                  .note = note + "; " + rate}};
  for (const auto& [x, y] : {std::pair{"A", "B"}, {"A", "C"}, {"B", "C"}}) {
    settings.tell(fmt::format("combining {} and {}", x, y));
    TRY_ASSIGN(const Ran back, run_good(settings, combine_words(settings, scratch / "own", x, y,
                                                                scratch / "back")));
    TRY(same_bytes(settings, scratch / "file", scratch / "back"));
    fs::remove(scratch / "back");
    figures.push_back({.name = fmt::format("combine_16g_{}{}", x, y),
                       .value = back.wall_seconds,
                       .unit = "s",
                       .ratio = floor_of(2 * size, size) / back.wall_seconds,
                       .against = "disk: two shares read, the file written",
                       .note = note + "; byte-identical"});
  }
  return figures;
}

}  // namespace warifu::measure
