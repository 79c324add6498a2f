// warifu-make-cram: makes a CRAM of a synthetic person over a real reference chromosome, for tests
// and measurements at any size. The result appears under its name only when it is complete.
#include <fmt/core.h>
#include <htslib/hts_log.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "contig.h"
#include "cram_file.h"
#include "error.h"
#include "options.h"
#include "output.h"
#include "person.h"
#include "plan.h"
#include "reads.h"

namespace warifu::make_cram {
namespace {

constexpr int kMostAttempts = 4;

// What the header says: only what decides the records, so that it holds no paths of the machine.
std::string command_line(const Options& options) {
  std::string text = fmt::format("warifu-make-cram --seed {}", options.seed);
  if (options.size) text += fmt::format(" --size {}", *options.size);
  if (options.coverage) text += fmt::format(" --coverage {}", *options.coverage);
  if (options.region) text += fmt::format(" --region {}", *options.region);
  return text;
}

void refuse_overwriting_reference(const Options& options) {
  std::error_code code;
  for (const auto& path : {options.out, options.out + ".crai", options.sites.value_or("")}) {
    if (!path.empty() && std::filesystem::equivalent(path, options.reference, code)) {
      fail("output {}: it is the reference itself", path);
    }
  }
}

class Job {
 public:
  explicit Job(const Options& options)
      : options_(options),
        out_("output", options.out),
        index_("index", options.out + ".crai"),
        contig_(load_contig(options.reference, options.region)),
        person_(make_person(contig_, options.seed)),
        simulator_(contig_, person_, options.seed) {
    if (options.sites) sites_.emplace("sites", *options.sites);
  }

  void run() {
    const auto begin = std::chrono::steady_clock::now();
    const Layout layout = Layout::callable(contig_);
    const Plan plan = options_.size ? make_by_size(layout) : make_by_coverage(layout);
    if (sites_) write_truth(plan.layout);
    const std::uint64_t bytes = out_.size();
    index_.commit();
    out_.commit();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    fmt::print("{}: {} bytes, {} reads, {:.2f}x over {}, seed {}, {:.1f} s\n", out_.path(), bytes,
               2 * plan.pairs, plan.coverage(), plan.layout.text(contig_), options_.seed,
               elapsed.count());
  }

 private:
  std::uint64_t make(const Plan& plan, const CramTarget& target) const {
    CramFile file(target, contig_, command_line(options_));
    simulator_.run(plan.layout, plan.pairs, [&](const Read& read) {
      check_interrupted();
      file.write(read);
    });
    file.close();
    return out_.size();
  }

  [[nodiscard]] CramTarget final_target() const {
    return {out_.partial_path(), index_.partial_path(), options_.threads};
  }

  [[nodiscard]] Plan make_by_coverage(const Layout& layout) const {
    Plan plan = plan_for_coverage(layout, *options_.coverage);
    make(plan, final_target());
    return plan;
  }

  [[nodiscard]] Plan make_by_size(const Layout& layout) const {
    const SizePlanner planner(layout, *options_.size, !options_.region);
    // Pilots use one thread: with several, htslib's choice of methods varies by a few bytes, and
    // the plan must not.
    Plan plan = planner.first_plan(
        [&](const Plan& pilot) { return make(pilot, {out_.partial_path(), "", 1}); });
    std::uint64_t bytes = 0;
    for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
      bytes = make(plan, final_target());
      if (planner.fits(bytes)) return plan;
      plan = planner.corrected(plan, bytes);
    }
    fail("output {}: {} bytes are not within 8 % above {} after {} attempts", out_.path(), bytes,
         *options_.size, kMostAttempts);
  }

  void write_truth(const Layout& layout) {
    const bool compress = options_.sites->ends_with(".gz");
    const auto count = write_sites(person_, contig_, layout, sites_->partial_path(), compress);
    sites_->commit();
    fmt::print("{}: {} variants\n", sites_->path(), count);
  }

  const Options& options_;
  PartialFile out_;
  PartialFile index_;
  std::optional<PartialFile> sites_;
  Contig contig_;
  Person person_;
  Simulator simulator_;
};

int run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  if (options.help) {
    fmt::print("{}", usage_text());
    return EXIT_SUCCESS;
  }
  // htslib would otherwise look for references on the network.
  setenv("REF_PATH", "/none", 1);
  setenv("REF_CACHE", "/none", 1);
  hts_set_log_level(HTS_LOG_OFF);  // every failure is reported here, once and with its file
  install_interrupt_handlers();
  refuse_overwriting_reference(options);
  Job(options).run();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warifu::make_cram

int main(int argc, char** argv) {
  constexpr int kUsageExit = 2;
  try {
    return warifu::make_cram::run(argc, argv);
  } catch (const warifu::make_cram::UsageError& error) {
    fmt::print(stderr, "warifu-make-cram: {}\nTry --help.\n", error.what());
    return kUsageExit;
  } catch (const std::exception& error) {
    fmt::print(stderr, "warifu-make-cram: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
