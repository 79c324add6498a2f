// `warifu link new|begin`, `warifu net renew`: links that begin, or begin anew after an end was
// lost.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <boost/json.hpp>

#include "apps/key_commands.h"
#include "apps/network.h"
#include "apps/output.h"
#include "apps/site_commands.h"
#include "base/units.h"
#include "config/site_config.h"
#include "kme/link_begin.h"

namespace warifu::apps {
namespace {

// The control messages of a new link need some key before devices bring more.
constexpr std::uint64_t kLeastFirstKey = 2U << 20;

struct FirstKey {
  std::array<std::string, 2> files;  // for the two ends
};

// Files of a new link between two sites, in a folder.
Result<FirstKey> make_first_key(const SiteName& a, const SiteName& b, std::uint64_t size,
                                std::uint64_t back, const std::string& folder, bool replace) {
  const std::string stem = fmt::format("{}/{}-{}.", folder, a.text(), b.text());
  FirstKey made{{stem + a.text(), stem + b.text()}};
  const kme::PresharePlan plan{
      os::random_id<LinkId>(os::kernel_random()), a, b, {}, {}, size, back};
  ProgressLine progress("random numbers");
  for (const std::string& left : made.files) {
    // Of an attempt that broke off, of a network on this machine: it was taken in nowhere whole.
    if (replace && os::real_files().exists(left)) TRY(kme::wipe_preshare(os::real_system(), left));
  }
  TRY(kme::make_preshare(
      os::real_system(), plan, made.files[0], made.files[1],
      [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); }));
  return made;
}

Result<> check_first_size(const char* option, std::uint64_t bytes) {
  if (bytes >= kLeastFirstKey) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("{} must be at least 2M: key for the first messages", option));
}

const config::PeerConfig* peer_of(const config::SiteConfig& config, const SiteName& peer) {
  const auto it = std::ranges::find_if(
      config.peers, [&](const config::PeerConfig& p) { return p.link.peer == peer; });
  return it == config.peers.end() ? nullptr : &*it;
}

Result<kme::BegunLink> begin_at(const config::SiteConfig& config, const std::string& file,
                                bool replace) {
  const os::System system = os::real_system();
  TRY_ASSIGN(const kme::PresharePlan plan, kme::read_preshare_plan(system, file));
  const SiteName& peer = plan.a == config.name ? plan.b : plan.a;
  const config::PeerConfig* known = peer_of(config, peer);
  if (known == nullptr) {
    return fail(Code::kNotFound, fmt::format("'{}' has no [[peers]] for the link {}-{} of '{}'",
                                             config.path, plan.a.text(), plan.b.text(), file));
  }
  if (known->link.id && *known->link.id != plan.link) {
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' names another id for the link to {}: remove the line 'id' there",
                            config.path, peer.text()));
  }
  ProgressLine progress("key of " + config.name.text() + "-" + peer.text());
  return kme::begin_link(
      system, {config.data_dir, config.name, peer, file, replace},
      [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); });
}

// Everything of the site that net_renew() works on.
struct Renewal {
  std::string net;
  config::SiteConfig site;
  std::uint64_t preshare = 0, bootstrap = 0;

  [[nodiscard]] std::string config_of(const SiteName& name) const {
    return net + "/sites/" + name.text() + "/site.toml";
  }
  // The link to one neighbour, at both ends.
  Result<> renew(const config::PeerConfig& peer) const {
    TRY_ASSIGN(const auto other, config::load_site_config(config_of(peer.link.peer)));
    const auto link_class = peer.link.link_class;
    const std::uint64_t size = link_class == kme::LinkClass::kQkd       ? bootstrap
                               : link_class == kme::LinkClass::kRelayed ? 0
                                                                        : preshare;
    TRY_ASSIGN(const FirstKey made,
               make_first_key(site.name, other.name, size, size, net + "/preshare", true));
    TRY(begin_at(site, made.files[0], true));
    TRY(begin_at(other, made.files[1], true));
    for (const std::string& file : made.files) TRY(kme::wipe_preshare(os::real_system(), file));
    return {};
  }
};

Result<> check_down(const Network& network, const std::vector<std::string>& names) {
  for (const ProcessEntry& entry : network.processes) {
    if (!entry.is_site || std::ranges::find(names, entry.name) == names.end()) continue;
    if (running_pid(network, entry)) {
      return fail(Code::kBusy, entry.name + " runs; stop it first: warifu net down --only " +
                                   fmt::format("{}", fmt::join(names, " ")));
    }
  }
  return {};
}

}  // namespace

Result<> link_new(const Common& common, const NewLinkOptions& options) {
  TRY_ASSIGN(const SiteName a, SiteName::parse(options.a));
  TRY_ASSIGN(const SiteName b, SiteName::parse(options.b));
  if (a == b) return fail(Code::kInvalidArgument, "a link has two different ends");
  TRY_ASSIGN(const std::uint64_t size, parse_size(options.size));
  TRY_ASSIGN(const std::uint64_t back,
             parse_size(options.back.empty() ? options.size : options.back));
  // A relayed link gets all of its key over other sites.
  if (size != 0 || back != 0) {
    TRY(check_first_size("--size", size));
    TRY(check_first_size("--back", back));
  }
  TRY_ASSIGN(const FirstKey made, make_first_key(a, b, size, back, options.out, false));
  if (common.json) {
    print_json({{"link", a.text() + "-" + b.text()},
                {"bytes_per_direction", size},
                {"bytes_back", back},
                {"files", {made.files[0], made.files[1]}}});
  } else {
    fmt::print("{}\n{}\nbring each file to its site and, while that is down: warifu link begin\n",
               made.files[0], made.files[1]);
  }
  return {};
}

Result<> link_begin(const Common& common, const BeginLinkOptions& options) {
  TRY_ASSIGN(const auto config, config::load_site_config(options.config));
  TRY_ASSIGN(const kme::BegunLink begun, begin_at(config, options.file, options.replace));
  if (!options.keep) TRY(kme::wipe_preshare(os::real_system(), options.file));
  if (common.json) {
    print_json({{"link", begun.link.text()},
                {"send_bytes", begun.send_bytes},
                {"receive_bytes", begun.receive_bytes},
                {"dropped_bytes", begun.dropped_bytes}});
  } else {
    fmt::print("link {}: {} to send, {} to receive{}\n", begun.link.text(),
               human_bytes(begun.send_bytes), human_bytes(begun.receive_bytes),
               begun.dropped_bytes > 0 ? fmt::format("; {} of the old link's key given up",
                                                     human_bytes(begun.dropped_bytes))
                                       : "");
  }
  return {};
}

Result<> net_renew(const Common& common, const NetRenewOptions& options) {
  Renewal renewal{.net = std::filesystem::absolute(common.net).lexically_normal().string()};
  TRY_ASSIGN(const Network network, load_network(renewal.net));
  TRY_ASSIGN(const SiteName name, SiteName::parse(options.site));
  TRY_ASSIGN(renewal.preshare, parse_size(options.preshare));
  TRY_ASSIGN(renewal.bootstrap, parse_size(options.bootstrap));
  TRY(check_first_size("--preshare", renewal.preshare));
  TRY(check_first_size("--bootstrap", renewal.bootstrap));
  auto config = config::load_site_config(renewal.config_of(name));
  if (!config && config.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, config.error().message +
                                     "; bring back the site's site.toml and certificates from "
                                     "their backup first: only data is made anew");
  }
  if (!config) return std::unexpected(config.error());
  renewal.site = std::move(*config);
  std::vector<std::string> names = {name.text()};
  for (const auto& peer : renewal.site.peers) names.push_back(peer.link.peer.text());
  TRY(check_down(network, names));
  for (const auto& peer : renewal.site.peers) TRY(renewal.renew(peer));
  if (common.json) {
    print_json({{"site", name.text()}, {"links", renewal.site.peers.size()}});
  } else {
    const bool is_one = renewal.site.peers.size() == 1;
    fmt::print("{} of {} {} anew\n",
               is_one ? "the only link" : fmt::format("{} links", renewal.site.peers.size()),
               name.text(), is_one ? "begins" : "begin");
  }
  return {};
}

}  // namespace warifu::apps
