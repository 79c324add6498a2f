// `warifu genome`: options to calls, results to text or JSON.
#include "apps/genome_cmd.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <charconv>

#include "apps/output.h"
#include "apps/secret_input.h"
#include "base/units.h"
#include "genome/crypt4gh.h"
#include "genome/local.h"
#include "genome/new_file.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::atomic<bool> genome_stop_asked = false;

// Ctrl-C ends the work in order, so that nothing half-written stays.
void take_genome_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { genome_stop_asked = true; };
  (void)::sigaction(SIGINT, &action, nullptr);
  (void)::sigaction(SIGTERM, &action, nullptr);
  (void)::signal(SIGXFSZ, SIG_IGN);
}

// One progress line for each pass.
class Steps {
 public:
  genome::LocalWork work(const GenomeOptions& options) {
    take_genome_signals();
    genome::LocalWork work{.system = os::real_system(),
                           .run = {},
                           .reference = options.reference,
                           .threads = std::clamp(options.threads, 1U, 64U),
                           .step = {}};
    work.run.stop = &genome_stop_asked;
    work.run.progress = [this](std::uint64_t done) {
      if (line_) line_->show(std::min(done, total_), total_);
    };
    work.step = [this](const std::string& step, std::uint64_t total) {
      line_.reset();
      line_ = std::make_unique<ProgressLine>(step);
      total_ = std::max<std::uint64_t>(total, 1);
    };
    return work;
  }
  void end() { line_.reset(); }

 private:
  std::unique_ptr<ProgressLine> line_;
  std::uint64_t total_ = 1;
};

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ',') digits += c;  // 31,022,000 as genome browsers show it
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// "20:31022000-31030000"; a name that itself ends like that (HLA) can be given by --bed.
Result<genome::NamedRegion> parse_region(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return genome::NamedRegion{text, 0, genome::kEndOfReference};
  const std::string range = text.substr(colon + 1);
  const std::size_t dash = range.find('-');
  const auto start = number_in(std::string_view(range).substr(0, dash));
  std::optional<std::int64_t> end = start;
  if (dash != std::string::npos) {
    end = dash + 1 == range.size() ? genome::kEndOfReference
                                   : number_in(std::string_view(range).substr(dash + 1));
  }
  if (!start || !end || *start < 1 || *end < *start) {
    return fail(Code::kInvalidArgument,
                "--region '" + text + "': write NAME, NAME:START-END with 1 <= START <= END, or *");
  }
  return genome::NamedRegion{text.substr(0, colon), *start - 1, *end};
}

Result<> add_bed(const std::string& path, std::vector<genome::NamedRegion>& regions) {
  TRY_ASSIGN(const Bytes bytes, os::read_file(os::real_files(), path, 16U << 20U));
  std::string_view rest = as_text(bytes);
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line[0] == '#' || line.starts_with("track") ||
        line.starts_with("browser")) {
      continue;
    }
    const std::size_t one = line.find('\t');
    const std::size_t two = one == std::string::npos ? one : line.find('\t', one + 1);
    std::optional<std::int64_t> start, stop;
    if (two != std::string::npos) {
      start = number_in(std::string_view(line).substr(one + 1, two - one - 1));
      const std::string_view last = std::string_view(line).substr(two + 1);
      stop = number_in(last.substr(0, last.find_first_of("\t\r")));
    }
    if (!start || !stop || *start < 0 || *start >= *stop) {
      return fail(Code::kInvalidArgument,
                  path + ", line " + std::to_string(number) + ": NAME, START and END with tabs");
    }
    regions.push_back({line.substr(0, one), *start, *stop});
  }
  return {};
}

Result<genome::CutWish> cut_wish(const GenomeOptions& options) {
  genome::CutWish wish{.index = options.index, .regions = {}, .output = {}, .selection = {}};
  for (const std::string& text : options.regions) {
    TRY_ASSIGN(genome::NamedRegion region, parse_region(text));
    wish.regions.push_back(std::move(region));
  }
  if (!options.bed.empty()) TRY(add_bed(options.bed, wish.regions));
  if (wish.regions.empty() && !options.header_only) {
    return fail(Code::kInvalidArgument, "say which records: --region, --bed or --header-only");
  }
  std::string format = options.format;
  for (const char* ending : {"bam", "cram", "vcf", "vcf.gz", "bcf"}) {
    if (options.format.empty() && options.out.ends_with(std::string(".") + ending)) format = ending;
  }
  const auto output = genome::output_of_name(format);
  if (!output) {
    return fail(Code::kInvalidArgument,
                "--format '" + format + "': write bam, cram, vcf, vcf.gz or bcf");
  }
  wish.output = *output;
  genome::Selection& selection = wish.selection;
  selection.header_only = options.header_only;
  if (options.has_fields) selection.fields = split_list(options.fields);
  if (options.has_tags) selection.tags = split_list(options.tags);
  selection.notags = split_list(options.notags);
  selection.keep_mates = options.keep_mates;
  selection.keep_header = options.keep_header;
  if (options.sample.empty() || options.sample.find_first_of("\t\n\r") != std::string::npos) {
    return fail(Code::kInvalidArgument, "--sample: a name without tabs and line ends");
  }
  selection.sample = options.sample;
  return wish;
}

std::string_view state_name(genome::IndexState state) {
  switch (state) {
    case genome::IndexState::kEqual: return "equal";
    case genome::IndexState::kInEffect: return "equal in effect";
    case genome::IndexState::kDiffers: return "differs";
  }
  return "";
}

json::object inspection_json(const genome::Inspection& report) {
  json::array references, groups;
  for (const auto& one : report.references) {
    references.push_back({{"name", one.name}, {"length", one.length}, {"md5", one.md5}});
  }
  for (const auto& one : report.read_groups) {
    groups.push_back({{"id", one.id}, {"sample", one.sample}, {"platform", one.platform}});
  }
  return {{"format", report.format},
          {"version", report.version},
          {"compression", report.compression},
          {"assembly", report.assembly},
          {"sorted", report.sorted},
          {"records", report.records},
          {"mapped", report.mapped},
          {"unplaced", report.unplaced},
          {"references", references},
          {"read_groups", groups},
          {"samples", texts_json(report.samples)}};
}

// A file read or written front to back, for Crypt4GH.
genome::Source source_of(const genome::LocalFile& file) {
  return [&file, at = std::uint64_t{0}](MutableBytes out) mutable -> Result<std::size_t> {
    const auto part = std::min<std::uint64_t>(out.size(), file.bytes() - at);
    TRY(file.read_at(at, out.first(part)));
    at += part;
    if (genome_stop_asked) return fail(Code::kCancelled, "stopped");
    return static_cast<std::size_t>(part);
  };
}

Result<Bytes> key_file(const std::string& path) {
  return os::read_file(os::real_files(), path, genome::kMaxKeyFile);
}

Result<> tell_written(const Common& common, const std::string& what, const genome::NewFile& made) {
  if (common.json) {
    print_json({{"out", made.path()}, {"bytes", made.size()}, {"quantum_safe", false}});
  } else {
    fmt::print("{} {}, {}\n", what, made.path(), human_bytes(made.size()));
  }
  return {};
}

}  // namespace

Result<> genome_inspect(const Common& common, const GenomeOptions& options) {
  TRY_ASSIGN(const genome::LocalFile file, genome::LocalFile::open(options.file));
  Bytes head(std::min<std::uint64_t>(file.bytes(), 16));
  TRY(file.read_at(0, head));
  if (genome::is_crypt4gh(head)) {
    if (common.json) {
      print_json({{"format", "Crypt4GH"}, {"bytes", file.bytes()}, {"quantum_safe", false}});
    } else {
      fmt::print("Crypt4GH, {} (not quantum-safe): warifu genome decrypt\n",
                 human_bytes(file.bytes()));
    }
    return {};
  }
  Steps steps;
  const auto report = genome::inspect_file(options.file, steps.work(options));
  steps.end();
  if (!report) return std::unexpected(report.error());
  if (common.json) {
    print_json(inspection_json(*report));
    return {};
  }
  fmt::print("{} {} ({}), {}\n", report->format, report->version, report->compression,
             human_bytes(file.bytes()));
  fmt::print("assembly {}\n", report->assembly.empty() ? "unknown" : report->assembly);
  fmt::print("{} references, {} records, {} of them mapped, {} without a place; sorted: {}\n",
             report->references.size(), report->records, report->mapped, report->unplaced,
             report->sorted);
  for (const auto& group : report->read_groups) {
    fmt::print("read group {}: sample {}, {}\n", group.id, group.sample, group.platform);
  }
  for (const std::string& sample : report->samples) fmt::print("sample {}\n", sample);
  return {};
}

Result<> genome_index(const Common& common, const GenomeOptions& options) {
  Steps steps;
  const auto made = genome::index_file(options.file, options.out, options.csi, steps.work(options));
  steps.end();
  if (!made) return std::unexpected(made.error());
  if (common.json) {
    print_json({{"index", *made}});
  } else {
    fmt::print("{}\n", *made);
  }
  return {};
}

Result<> genome_reslice(const Common& common, const GenomeOptions& options) {
  Steps steps;
  const auto report =
      genome::reslice_file(options.file, options.out, options.reads_per_slice, steps.work(options));
  steps.end();
  if (!report) return std::unexpected(report.error());
  const double change =
      100.0 *
      (static_cast<double>(report->bytes_after) / static_cast<double>(report->bytes_before) - 1.0);
  if (common.json) {
    print_json({{"out", options.out},
                {"records", report->records},
                {"records_equal", true},
                {"bytes_before", report->bytes_before},
                {"bytes_after", report->bytes_after},
                {"index", report->index},
                {"provenance", report->provenance}});
    return {};
  }
  fmt::print("{} records, proven equal before and after\n{}, {} ({:+.1f} %)\n{}\n", report->records,
             options.out, human_bytes(report->bytes_after), change, report->index);
  fmt::print("{}: the original's digest; keep it as secret as the genome\n", report->provenance);
  return {};
}

Result<> genome_cut(const Common& common, const GenomeOptions& options) {
  TRY_ASSIGN(const genome::CutWish wish, cut_wish(options));
  Steps steps;
  const auto report = genome::cut_file(options.file, options.out, wish, steps.work(options));
  steps.end();
  if (!report) return std::unexpected(report.error());
  if (common.json) {
    print_json({{"out", options.out},
                {"records", report->trim.records_written},
                {"records_read", report->trim.records_read},
                {"bytes_read", report->bytes_read},
                {"bytes", report->bytes_written}});
    return {};
  }
  fmt::print("{} records in {}, {}\nread {} of the file, {} records\n",
             report->trim.records_written, options.out, human_bytes(report->bytes_written),
             human_bytes(report->bytes_read), report->trim.records_read);
  return {};
}

Result<> genome_check(const Common& common, const GenomeOptions& options) {
  Steps steps;
  const auto report = genome::check_file(options.file, options.index, steps.work(options));
  steps.end();
  if (!report) return std::unexpected(report.error());
  const bool differs =
      !report->index.empty() && report->index_state == genome::IndexState::kDiffers;
  if (common.json) {
    print_json({{"records", report->records.records},
                {"bytes", report->file.bytes},
                {"index", report->index},
                {"index_state", report->index.empty() ? "none" : state_name(report->index_state)},
                {"difference", report->difference}});
  } else {
    fmt::print("{} records, all of them read; the file is whole\n", report->records.records);
    if (report->index.empty()) fmt::print("no index beside it: warifu genome index\n");
    if (!report->index.empty() && !differs) {
      fmt::print("{}: {} to the computed one\n", report->index, state_name(report->index_state));
    }
  }
  if (!differs) return {};
  return fail(Code::kCorrupt, report->index + ": " + report->difference);
}

Result<> genome_decrypt(const Common& common, const GenomeOptions& options) {
  TRY_ASSIGN(const genome::LocalFile file, genome::LocalFile::open(options.file));
  TRY_ASSIGN(Bytes text, key_file(options.key));
  const auto ask = [&] {
    return read_secret({"passphrase of the key", "--passphrase-file", 1024},
                       options.passphrase_file);
  };
  const auto key = genome::crypt4gh_private_key(text, ask, options.key);
  secret::wipe(text);
  if (!key) return std::unexpected(key.error());
  take_genome_signals();
  TRY_ASSIGN(auto made, genome::NewFile::create(os::real_files(), options.out));
  TRY(genome::crypt4gh_decrypt(
      source_of(file), *key, [&](ByteView part) { return made.append(part); }, options.file));
  TRY(made.commit());
  return tell_written(common, "decrypted to", made);
}

Result<> genome_encrypt(const Common& common, const GenomeOptions& options) {
  TRY_ASSIGN(const genome::LocalFile file, genome::LocalFile::open(options.file));
  TRY_ASSIGN(const Bytes text, key_file(options.key));
  TRY_ASSIGN(const Bytes key, genome::crypt4gh_public_key(text, options.key));
  take_genome_signals();
  TRY_ASSIGN(auto made, genome::NewFile::create(os::real_files(), options.out));
  TRY(genome::crypt4gh_encrypt(
      source_of(file), key, [&](ByteView part) { return made.append(part); }, os::kernel_random()));
  TRY(made.commit());
  return tell_written(common, "encrypted for that key (computational, not quantum-safe) to", made);
}

}  // namespace warifu::apps
