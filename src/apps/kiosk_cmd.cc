// `warifu kiosk`: the terminal of persons.
#include <fmt/format.h>

#include <algorithm>

#include "apps/kiosk_server.h"
#include "apps/output.h"
#include "apps/request_cmd.h"
#include "apps/signals.h"
#include "base/units.h"
#include "consent/grant.h"
#include "os/files.h"
#include "web/assets.h"

namespace warifu::apps {
namespace {

Result<> check_name(const std::string& name) {
  const auto bad = [](char c) { return c < 0x21 || c > 0x7E; };
  if (!name.empty() && name.size() <= consent::kTerminalBytes && std::ranges::none_of(name, bad)) {
    return {};
  }
  return fail(Code::kInvalidArgument,
              "--name must be 1 to 16 printable ASCII characters without spaces");
}

// A browser's arguments are seen by every user of the machine, and the key stands in the address:
// so a browser is given a file, which leads there and which its owner alone can read.
std::string address_text(const std::string& file, const std::string& url) {
  if (!file.ends_with(".html")) return url + "\n";
  return "<!doctype html><meta charset=\"utf-8\"><title>Warifu</title>"
         "<meta http-equiv=\"refresh\" content=\"0;url=" +
         url + "\">\n";
}

}  // namespace

Result<> kiosk(const Common& common, const KioskOptions& options) {
  TRY(check_name(options.name));
  if (options.card.card.empty() && options.card.module.empty()) {
    return fail(Code::kInvalidArgument, "give --card, or --module of a PKCS #11 token");
  }
  if (web::find_asset("kiosk.html") == nullptr) {
    return fail(Code::kNotFound, "this program was built without pages (WARIFU_WEB=OFF)");
  }
  TRY_ASSIGN(const std::uint64_t idle, parse_duration(options.idle));
  if (idle < 20 || idle > 900) {
    return fail(Code::kInvalidArgument, "--idle must be 20s to 15m, not " + options.idle);
  }
  block_stop_signals();
  KioskDesk desk(common, options.card, options.name, std::chrono::seconds(idle));
  KioskEnrolment enrolment(desk, common, options.card, options.name);
  TRY_ASSIGN(const auto server, KioskServer::open(desk, enrolment, options.listen));
  server->start();
  if (!options.address_file.empty()) {
    TRY(os::replace_file(os::real_files(), options.address_file,
                         as_bytes(address_text(options.address_file, server->page_url()))));
  }
  if (common.json) {
    print_json({{"url", server->page_url()}, {"terminal", options.name}});
  } else {
    fmt::print("{}\n", server->page_url());
    fmt::print(stderr, "open this address in the browser of the kiosk; it has the page's key\n");
  }
  std::fflush(stdout);
  wait_for_stop_signal();
  server->stop();
  return {};
}

}  // namespace warifu::apps
