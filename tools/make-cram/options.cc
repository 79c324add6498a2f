// Parsing of the command line.
#include "options.h"

#include <getopt.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "error.h"

namespace warifu::make_cram {
namespace {

constexpr std::uint64_t kSmallestSize = std::uint64_t{64} << 10U;
constexpr int kMostThreads = 256;

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint64_t parse_size(std::string_view text) {
  constexpr std::string_view kSuffixes = "KMGT";
  std::string_view digits = text;
  unsigned shift = 0;
  if (!digits.empty()) {
    const auto suffix = kSuffixes.find(digits.back());
    if (suffix != std::string_view::npos) {
      shift = static_cast<unsigned>(10 * (suffix + 1));
      digits.remove_suffix(1);
    }
  }
  const auto value = parse_number<std::uint64_t>(digits);
  if (!value) fail_usage("--size \"{}\": expected bytes, or a number with K, M, G or T", text);
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  if (*value > kLargest >> shift) {
    fail_usage("--size \"{}\": too large", text);
  }
  if (*value << shift < kSmallestSize) fail_usage("--size \"{}\": the smallest is 64K", text);
  return *value << shift;
}

double parse_coverage(std::string_view text) {
  const auto value = parse_number<double>(text);
  if (!value || !std::isfinite(*value) || *value <= 0 || *value > kHighestCoverage) {
    fail_usage("--coverage \"{}\": expected a number above 0 and up to {}", text, kHighestCoverage);
  }
  return *value;
}

std::string required_text(std::string_view option, const char* value) {
  if (*value == '\0') fail_usage("{}: the value is empty", option);
  return value;
}

void set_option(int key, const char* value, Options& options) {
  switch (key) {
    case 'r': options.reference = required_text("--ref", value); break;
    case 'o': options.out = required_text("--out", value); break;
    case 'g': options.region = required_text("--region", value); break;
    case 'v': options.sites = required_text("--sites", value); break;
    case 's': options.size = parse_size(value); break;
    case 'c': options.coverage = parse_coverage(value); break;
    case 'n': {
      const auto seed = parse_number<std::uint64_t>(value);
      if (!seed) fail_usage("--seed \"{}\": expected a whole number from 0", value);
      options.seed = *seed;
      break;
    }
    case 't': {
      const auto threads = parse_number<int>(value);
      if (!threads || *threads < 1 || *threads > kMostThreads) {
        fail_usage("--threads \"{}\": expected 1 to {}", value, kMostThreads);
      }
      options.threads = *threads;
      break;
    }
    default: options.help = true; break;
  }
}

void check_complete(const Options& options) {
  if (options.reference.empty()) fail_usage("--ref is missing");
  if (options.out.empty()) fail_usage("--out is missing");
  if (options.size.has_value() == options.coverage.has_value()) {
    fail_usage("exactly one of --size and --coverage is needed");
  }
  const std::string index = options.out + ".crai";
  if (options.sites && (*options.sites == options.out || *options.sites == index)) {
    fail_usage("--sites \"{}\": the same file as the output or its index", *options.sites);
  }
}

}  // namespace

Options parse_options(int argc, char** argv) {
  static constexpr std::array<option, 10> kOptions{{
      {"ref", required_argument, nullptr, 'r'},
      {"out", required_argument, nullptr, 'o'},
      {"region", required_argument, nullptr, 'g'},
      {"sites", required_argument, nullptr, 'v'},
      {"size", required_argument, nullptr, 's'},
      {"coverage", required_argument, nullptr, 'c'},
      {"seed", required_argument, nullptr, 'n'},
      {"threads", required_argument, nullptr, 't'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  }};
  Options options;
  opterr = 0;
  while (true) {
    const int at = optind;
    const int key = getopt_long(argc, argv, ":h", kOptions.data(), nullptr);
    if (key == -1) break;
    if (key == ':') fail_usage("{}: the value is missing", argv[at]);
    if (key == '?') fail_usage("{}: unknown or ambiguous option", argv[at]);
    set_option(key, optarg, options);
  }
  if (options.help) return options;
  if (optind < argc) fail_usage("\"{}\": unexpected argument", argv[optind]);
  check_complete(options);
  return options;
}

const char* usage_text() {
  return "Usage: warifu-make-cram --ref REF.fa --out OUT.cram (--size SIZE | --coverage X)\n"
         "                        [--region NAME[:START-END]] [--sites TRUTH.vcf[.gz]]\n"
         "                        [--seed N] [--threads N]\n"
         "\n"
         "Makes a CRAM 3.0 file and its .crai of a synthetic person over a real chromosome.\n"
         "\n"
         "  --ref FILE      FASTA with .fai beside it (made if it is missing)\n"
         "  --out FILE      the CRAM; the index is FILE.crai. Both appear only when complete\n"
         "  --size SIZE     at least this many bytes and at most 8 % more; suffixes K, M, G, T "
         "are\n"
         "                  binary. The coverage follows from it; if it would be below 8x and no\n"
         "                  region is given, the first part of the chromosome is covered at 8x\n"
         "  --coverage X    mean depth over the region, such as 30\n"
         "  --region R      1-based, such as 20:1-5000000; default: the first sequence of the "
         "FASTA\n"
         "  --sites FILE    the person's variants in the covered part as phased VCF\n"
         "  --seed N        same seed, same person, same reads, whatever the threads (default 1)\n"
         "  --threads N     threads for compression (default 1)\n";
}

}  // namespace warifu::make_cram
