// `warifu split`, `warifu combine`: share files on one machine.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include <boost/json.hpp>

#include "apps/local_commands.h"
#include "apps/output.h"
#include "base/units.h"
#include "localshare/localshare.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
using std::chrono::steady_clock;

std::atomic<bool> stop_asked = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // for the signal handler

// Ctrl-C and SIGTERM end the work in order, so that nothing half-written stays. A full disk that
// shows itself as SIGXFSZ is an error of the write.
void take_stop_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { stop_asked = true; };
  (void)::sigaction(SIGINT, &action, nullptr);
  (void)::sigaction(SIGTERM, &action, nullptr);
  (void)::signal(SIGXFSZ, SIG_IGN);
}

localshare::Watch watch_of(ProgressLine& progress) {
  return {.progress = [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); },
          .stop = &stop_asked};
}

// "2 of 3", "ramp 3 of 4".
Result<sharing::Scheme> parse_scheme(const std::string& text) {
  if (text == sharing::Scheme::ramp().text()) return sharing::Scheme::ramp();
  unsigned threshold = 0, shares = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%2u of %2u%n", &threshold, &shares, &used) != 2 ||
      static_cast<std::size_t>(used) != text.size()) {
    return fail(Code::kInvalidArgument,
                "--scheme '" + text + "': write \"2 of 3\", \"3 of 5\" or \"ramp 3 of 4\"");
  }
  return sharing::Scheme::threshold_of(threshold, shares);
}

Result<keypool::Origin> parse_origin(const std::string& text) {
  std::string known;
  for (std::uint8_t number = 1; number < 16; ++number) {
    const auto origin = keypool::origin_from_number(number);
    if (!origin) continue;
    std::string name(keypool::origin_name(*origin));
    std::ranges::transform(name, name.begin(), [](unsigned char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
    });
    if (text == name) return *origin;
    known += (known.empty() ? "" : ", ") + name;
  }
  return fail(Code::kInvalidArgument, "--random-origin '" + text + "': write one of " + known);
}

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

}  // namespace

Result<> split(const Common& common, const SplitOptions& options) {
  localshare::SplitOptions work{.file = options.file,
                                .out_dir = options.out,
                                .scheme = {},
                                .random_file = options.random,
                                .random_origin = {},
                                .workers = options.workers};
  TRY_ASSIGN(work.scheme, parse_scheme(options.scheme));
  if (!options.random_origin.empty()) {
    if (options.random.empty()) {
      return fail(Code::kInvalidArgument, "--random-origin tells about --random FILE");
    }
    TRY_ASSIGN(work.random_origin, parse_origin(options.random_origin));
  }
  take_stop_signals();
  const auto start = steady_clock::now();
  localshare::SplitReport made;
  {
    ProgressLine progress("splitting");
    TRY_ASSIGN(made, localshare::split_file(os::real_system(), work, watch_of(progress)));
  }
  const double seconds = seconds_since(start);
  if (common.json) {
    print_json({{"object", made.object.text()},
                {"scheme", work.scheme.text()},
                {"bytes", made.bytes},
                {"share_bytes", made.share_bytes},
                {"shares", json::value_from(made.shares)},
                {"record", made.record},
                {"random", made.random},
                {"random_bytes", made.random_bytes},
                {"computational", made.computational},
                {"seconds", seconds}});
    return {};
  }
  fmt::print("object {}\n{} cut {} in {}\n", made.object.text(), human_bytes(made.bytes),
             work.scheme.text(), human_seconds(seconds));
  for (const std::string& path : made.shares) fmt::print("  {}\n", path);
  fmt::print(
      "{}\n  plays the part of the person's card: whoever has it and {} share{} restores; keep it "
      "apart\nrandom numbers: {}\n",
      made.record, static_cast<unsigned>(work.scheme.threshold),
      work.scheme.threshold == 1 ? "" : "s", made.random);
  if (!options.random.empty()) {
    fmt::print("the file of random numbers is used up: destroy it, never use it again\n");
  }
  return {};
}

Result<> combine(const Common& common, const CombineOptions& options) {
  take_stop_signals();
  const auto start = steady_clock::now();
  localshare::CombineReport back;
  {
    ProgressLine progress("combining");
    TRY_ASSIGN(back, localshare::combine_files(os::real_system(),
                                               {.shares = options.shares,
                                                .record = options.record,
                                                .out = options.out,
                                                .workers = options.workers},
                                               watch_of(progress)));
  }
  const double seconds = seconds_since(start);
  json::array wrong;
  for (const auto& share : back.wrong) {
    wrong.push_back(
        {{"path", share.path}, {"share", share.share}, {"first_chunk", share.chunk.value}});
  }
  if (common.json) {
    print_json({{"object", back.object.text()},
                {"scheme", back.scheme.text()},
                {"bytes", back.bytes},
                {"out", options.out},
                {"verified", true},
                {"computational", back.computational},
                {"wrong", wrong},
                {"seconds", seconds}});
  } else {
    fmt::print("restored {} to {} in {}, every chunk verified under the record's key\n",
               human_bytes(back.bytes), options.out, human_seconds(seconds));
  }
  for (const auto& share : back.wrong) {
    fmt::print(stderr, "warifu: warning: share {} in '{}' is wrong (first in chunk {}); left out\n",
               share.share, share.path, share.chunk.value);
  }
  return {};
}

}  // namespace warifu::apps
