// Making disk sets here; taking them in at a site, which does the work itself.
#include "apps/disk_cmd.h"

#include <fmt/format.h>

#include <filesystem>
#include <thread>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/output.h"
#include "base/units.h"
#include "kme/disk_maker.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::string absolute(const std::string& path) {
  std::error_code ignored;
  std::string text = std::filesystem::absolute(path, ignored).lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

// Until what was ordered is in, with --wait until it is agreed and wiped too. Errors: why it
// stopped.
Result<json::value> follow(ApiClient& client, const std::string& peer, bool wait) {
  ProgressLine taking("taking in");
  for (auto pause = std::chrono::milliseconds(50);;
       pause = std::min(pause * 2, std::chrono::milliseconds(500))) {
    TRY_ASSIGN(json::value answer, client.get("/v1/links/disk?peer=" + url_text(peer)));
    const json::value& disk = answer.at("disk");
    if (disk.at("problem").is_string()) {
      return fail(code_from_name(text_of(disk, "problem_code"), Code::kRefused),
                  fmt::format("{}; {} of {} pieces are in, {} agreed with {}",
                              text_of(disk, "problem"), number_of(disk, "held"),
                              number_of(disk, "pieces"), number_of(disk, "agreed"), peer));
    }
    if (disk.at("done").as_bool()) return answer;
    const std::uint64_t until = number_of(disk, "until");
    const bool in = number_of(disk, "held") >= until;
    const std::uint64_t wiped = number_of(disk, "wiped");
    const bool settled = number_of(disk, "agreed") >= until &&
                         (!disk.at("wipe").as_bool() || wiped >= until) &&
                         until < number_of(disk, "pieces");
    if (in && (!wait || settled)) return answer;
    // Each byte counts half when it is verified, whole when it is in.
    taking.show(number_of(disk, "held_bytes"), number_of(disk, "until_bytes"),
                in ? text_of(disk, "state") : std::string());
    std::this_thread::sleep_for(pause);
  }
}

void print_disk(const json::value& answer) {
  const json::value& disk = answer.at("disk");
  fmt::print("link to {}: {} of {} pieces are in ({}), {} agreed with the far end\n{}\n",
             text_of(answer, "peer"), number_of(disk, "held"), number_of(disk, "pieces"),
             human_bytes(number_of(disk, "held_bytes")), number_of(disk, "agreed"),
             text_of(disk, "state"));
}

}  // namespace

Result<> preshare_disks(const Common& common, const PreshareOptions& options,
                        const kme::PresharePlan& plan) {
  if (options.disks.size() != 2) {
    return fail(Code::kInvalidArgument, "--disk must be given twice: a folder for each end");
  }
  kme::DiskPlan sizes{.link = plan.link,
                      .a = plan.a,
                      .b = plan.b,
                      .bases = {plan.base_ab, plan.base_ba},
                      .lengths = {plan.length_ab, plan.length_ba}};
  TRY_ASSIGN(sizes.piece_bytes, parse_size(options.piece));
  TRY_ASSIGN(const kme::DiskManifest wanted, kme::plan_disk_set(sizes, os::real_system()));
  const std::array folders = {absolute(options.disks[0]), absolute(options.disks[1])};
  ProgressLine progress("random numbers");
  TRY_ASSIGN(const kme::MadeDiskSet made,
             kme::make_disk_set(
                 os::real_system(), wanted, folders,
                 [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); }));
  const kme::DiskManifest& set = made.manifest;
  if (common.json) {
    print_json({{"link", plan.a.text() + "-" + plan.b.text()},
                {"set", set.set.text()},
                {"bytes_per_direction", plan.length_ab},
                {"bytes_back", plan.length_ba},
                {"pieces", set.pieces.size()},
                {"kept", made.kept},
                {"disks", {folders[0], folders[1]}}});
  } else {
    fmt::print(
        "{}\n{}\nset {}, {} pieces{}\nbring one to each site and take it in with: warifu "
        "link import --disk\n",
        folders[0], folders[1], set.set.text(), set.pieces.size(),
        made.kept > 0 ? fmt::format(", {} of them made before", made.kept) : "");
  }
  return {};
}

Result<> import_disk(const Common& common, const ImportOptions& options) {
  ApiClient client(common);
  json::value answer;
  if (options.abandon) {
    if (options.peer.empty()) {
      return fail(Code::kInvalidArgument, "--abandon needs --peer: whose link?");
    }
    TRY_ASSIGN(answer, client.post("/v1/links/disk/abandon", {{"peer", options.peer}}));
  } else {
    json::object order = {{"path", absolute(options.disk)}, {"wipe", options.wipe}};
    if (options.pieces) order["pieces"] = *options.pieces;
    TRY_ASSIGN(answer, client.post("/v1/links/disk", order));
    if (!options.no_wait) {
      TRY_ASSIGN(answer, follow(client, text_of(answer, "peer"), options.wait));
    }
  }
  if (common.json) {
    print_json(answer);
  } else {
    print_disk(answer);
  }
  return {};
}

}  // namespace warifu::apps
