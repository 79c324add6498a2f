// `warifu net init`: the six-site reference network, or a larger one, in one folder.
//
// Makes configuration and empty pools of every site, certificates and configuration of every key
// device, preshared start key for device links, and preshared key for the others. Everything is
// made in a new folder; a folder that is not empty is refused.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <numeric>
#include <thread>

#include "apps/device_files.h"
#include "apps/kms_files.h"
#include "apps/output.h"
#include "apps/site_commands.h"
#include "base/units.h"
#include "config/site_config.h"
#include "kme/key_manager.h"
#include "kme/preshare.h"
#include "kme/rate_model_config.h"
#include "kme/relay_paths.h"
#include "os/net.h"
#include "secret/secret.h"

namespace warifu::apps {
namespace {

namespace fs = std::filesystem;

struct Site {
  std::string name;
  std::string labels;
  std::uint16_t port = 0;
  std::uint16_t kms_port = 0;
  std::uint16_t web_port = 0;
  std::string region = {};
  std::vector<std::string> failure_domains = {};
};

struct LinkPlan {
  std::size_t a, b;  // indices of sites
  bool qkd;
  LinkId id;
  std::array<DeviceFiles, 2> devices = {};  // at a, at b; for qkd links
  unsigned relay_paths = 0;                 // of a relayed link

  [[nodiscard]] kme::LinkClass link_class() const {
    if (relay_paths > 0) return kme::LinkClass::kRelayed;
    return qkd ? kme::LinkClass::kQkd : kme::LinkClass::kPreshared;
  }
};

constexpr std::size_t kMostSites = 32;
constexpr std::size_t kLockedBytes = 48U << 20;  // what making the key of a link takes, and some
constexpr const char* kPolicy = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";

class Init {
 public:
  Init(const Common& common, const NetInitOptions& options) : options_(options) {
    dir_ = fs::absolute(common.net).lexically_normal().string();
    sites_ = {{"tommo", "\"origin\""}, {"lsa", "\"vault\""},    {"tuh", "\"gateway\""},
              {"cloud1", "\"cloud\""}, {"cloud2", "\"cloud\""}, {"cloud3", "\"cloud\""}};
    for (const auto& [a, b, qkd] : {std::tuple{0, 1, true},
                                    {0, 2, true},
                                    {2, 3, false},
                                    {2, 4, false},
                                    {2, 5, false},
                                    {3, 4, false},
                                    {3, 5, false},
                                    {4, 5, false}}) {
      links_.push_back({static_cast<std::size_t>(a), static_cast<std::size_t>(b), qkd,
                        os::random_id<LinkId>(os::kernel_random())});
    }
  }

  Result<> run() {
    for (const std::string& text : options_.extra_sites) TRY(add_site(text));
    for (const std::string& ends : options_.links) TRY(add_link("--link", ends, 0));
    for (const std::string& text : options_.relays) TRY(add_relay(text));
    for (const std::string& text : options_.regions) TRY(add_region(text));
    for (const std::string& text : options_.failure_domains) TRY(add_failure_domain(text));
    TRY(kme::parse_bit_rate(options_.rate));
    TRY_ASSIGN(preshare_bytes_, parse_size(options_.preshare));
    TRY_ASSIGN(bootstrap_bytes_, parse_size(options_.bootstrap));
    if (bootstrap_bytes_ < (2U << 20)) {
      return fail(Code::kInvalidArgument,
                  "--bootstrap must be at least 2M: key for the first messages");
    }
    if (!options_.back.empty()) {
      TRY_ASSIGN(back_bytes_, parse_size(options_.back));
      if (*back_bytes_ < (2U << 20)) {
        return fail(Code::kInvalidArgument, "--back must be at least 2M: key for answers");
      }
    }
    std::error_code error;
    if (fs::exists(dir_ + "/network.toml", error) ||
        (fs::exists(dir_, error) && !fs::is_empty(dir_, error))) {
      return fail(Code::kAlreadyExists, "'" + dir_ + "' is not empty");
    }
    TRY(system_.files.make_directories(dir_));
    TRY(pick_ports());
    for (LinkPlan& link : links_) {
      if (link.qkd) TRY(make_devices(link));
    }
    if (options_.kms) {
      std::vector<KmsSite> sites;
      for (std::size_t i = 0; i < sites_.size(); ++i) {
        sites.push_back({sites_[i].name, site_dir(i) + "/kms", sites_[i].kms_port});
      }
      TRY_ASSIGN(kms_, write_kms_files(sites, dir_ + "/saes"));
    }
    for (std::size_t i = 0; i < sites_.size(); ++i) TRY(write_site(i));
    TRY(make_all_keys());
    return write_network();
  }

  [[nodiscard]] const std::string& dir() const { return dir_; }
  [[nodiscard]] std::size_t link_count() const { return links_.size(); }
  [[nodiscard]] std::size_t site_count() const { return sites_.size(); }

 private:
  std::string site_dir(std::size_t i) const { return dir_ + "/sites/" + sites_[i].name; }

  // One more site, "edge1=edge". Labels look like names of sites.
  Result<> add_site(const std::string& text) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string name = text.substr(0, equals);
    const std::string label = equals == text.size() ? "" : text.substr(equals + 1);
    const bool is_new = std::ranges::find(sites_, name, &Site::name) == sites_.end();
    if (!SiteName::parse(name) || !SiteName::parse(label) || !is_new) {
      return fail(Code::kInvalidArgument,
                  "--extra-site '" + text + "' must be a new site and its label, as edge1=edge");
    }
    if (sites_.size() == kMostSites) {
      return fail(Code::kInvalidArgument,
                  fmt::format("--extra-site '{}': a network on one machine has at most {} sites",
                              text, kMostSites));
    }
    sites_.push_back({name, "\"" + label + "\""});
    return {};
  }

  // A relayed link, "lsa:cloud1" or "lsa:cloud1:1".
  Result<> add_relay(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const std::string last = colon == std::string::npos ? "" : text.substr(colon + 1);
    const bool counted = last.size() == 1 && last[0] >= '1' && last[0] <= '4';
    TRY(add_link("--relay", counted ? text.substr(0, colon) : text,
                 counted ? static_cast<unsigned>(last[0] - '0') : 2));
    std::vector<kme::RelayEdge> edges;
    for (const LinkPlan& link : links_) {
      if (link.relay_paths > 0) continue;
      edges.push_back({site_name(link.a), site_name(link.b), std::nullopt, 0});
      edges.push_back({site_name(link.b), site_name(link.a), std::nullopt, 0});
    }
    const LinkPlan& made = links_.back();
    if (kme::disjoint_paths(edges, site_name(made.a), site_name(made.b), made.relay_paths, 0)) {
      return {};
    }
    return fail(Code::kInvalidArgument,
                fmt::format("--relay '{}': there are no {} paths over different sites; add a link "
                            "with --link, or ask for fewer paths with {}:{}:1",
                            text, made.relay_paths, sites_[made.a].name, sites_[made.b].name));
  }

  [[nodiscard]] SiteName site_name(std::size_t i) const { return *SiteName::parse(sites_[i].name); }

  // One more link, "tommo:cloud1": preshared, or relayed over so many paths.
  Result<> add_link(const char* option, const std::string& ends, unsigned relay_paths) {
    const std::size_t colon = ends.find(':');
    const auto index_of = [&](const std::string& name) {
      return static_cast<std::size_t>(std::ranges::find(sites_, name, &Site::name) -
                                      sites_.begin());
    };
    const std::size_t a = index_of(ends.substr(0, colon));
    const std::size_t b = index_of(colon == std::string::npos ? "" : ends.substr(colon + 1));
    const bool known = a < sites_.size() && b < sites_.size() && a != b;
    const bool is_new = std::ranges::none_of(links_, [&](const LinkPlan& link) {
      return (link.a == a && link.b == b) || (link.a == b && link.b == a);
    });
    if (!known || !is_new) {
      return fail(Code::kInvalidArgument,
                  std::string(option) + " '" + ends +
                      "' must name two sites without a link, as tommo:cloud1");
    }
    links_.push_back({a, b, false, os::random_id<LinkId>(os::kernel_random()), {}, relay_paths});
    return {};
  }

  // "lsa=tohoku": the site, and what it is given.
  Result<std::pair<Site*, std::string>> site_and_name(const char* option, const std::string& text) {
    const std::size_t equals = text.find('=');
    const auto site = std::ranges::find(sites_, text.substr(0, equals), &Site::name);
    if (equals == std::string::npos || site == sites_.end()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{} '{}' must be a site and a name, as lsa=tohoku", option, text));
    }
    return std::pair{&*site, text.substr(equals + 1)};
  }

  Result<> add_region(const std::string& text) {
    TRY_ASSIGN(const auto chosen, site_and_name("--region", text));
    TRY_ASSIGN(const std::string region, config::parse_region(chosen.second));
    if (!chosen.first->region.empty()) {
      return fail(Code::kInvalidArgument, "--region '" + text + "': the site has one already");
    }
    chosen.first->region = region;
    return {};
  }

  Result<> add_failure_domain(const std::string& text) {
    TRY_ASSIGN(const auto chosen, site_and_name("--failure-domain", text));
    TRY_ASSIGN(const std::string domain, config::parse_failure_domain(chosen.second));
    std::vector<std::string>& domains = chosen.first->failure_domains;
    if (std::ranges::find(domains, domain) == domains.end()) domains.push_back(domain);
    return {};
  }

  // A free one that Linux does not give to outgoing connections (those take 32768 and above), so
  // that it is still free when its site has been down. Errors: kBusy when none is found.
  static Result<std::unique_ptr<os::Listener>> free_port() {
    constexpr std::uint16_t kFirst = 16'384, kCount = 16'384, kTries = 500;
    for (int left = kTries;; --left) {
      std::array<Byte, 2> drawn{};
      os::kernel_random().fill(drawn);
      const unsigned number = drawn[0] * 256U + drawn[1];
      const auto port = static_cast<std::uint16_t>(kFirst + number % kCount);
      auto listener = os::listen_tcp({"127.0.0.1", port});
      if (listener || left == 0) return listener;
    }
  }

  Result<> pick_ports() {
    // Listeners are held until all ports are known, so that no port is given out twice.
    std::vector<std::unique_ptr<os::Listener>> held;
    std::uint16_t next = options_.base_port;
    const auto pick = [&]() -> Result<std::uint16_t> {
      if (next != 0) return next++;
      TRY_ASSIGN(auto listener, free_port());
      held.push_back(std::move(listener));
      return held.back()->port();
    };
    for (Site& site : sites_) {
      TRY_ASSIGN(site.port, pick());
    }
    for (Site& site : sites_) {
      if (!options_.kms) break;
      TRY_ASSIGN(site.kms_port, pick());
    }
    for (Site& site : sites_) {
      if (!options_.web) break;
      TRY_ASSIGN(site.web_port, pick());
    }
    for (LinkPlan& link : links_) {
      if (!link.qkd) continue;
      for (DeviceFiles& device : link.devices) {
        TRY_ASSIGN(device.api_port, pick());
        TRY_ASSIGN(device.model_port, pick());
      }
    }
    return {};
  }

  Result<> make_devices(LinkPlan& link) {
    const std::string a = sites_[link.a].name;
    const std::string b = sites_[link.b].name;
    for (int i = 0; i < 2; ++i) {
      DeviceFiles& device = link.devices[static_cast<std::size_t>(i)];
      device.name = fmt::format("{}-{}-{}", a, b, i == 0 ? a : b);
      device.dir = dir_ + "/devices/" + device.name;
      device.own_sae = fmt::format("SAE-{}-{}", i == 0 ? a : b, i == 0 ? b : a);
      device.peer_sae = fmt::format("SAE-{}-{}", i == 0 ? b : a, i == 0 ? a : b);
      device.client_dir = site_dir(i == 0 ? link.a : link.b) + "/devices/" + (i == 0 ? b : a);
    }
    return write_device_pair(link.devices[0], link.devices[1], options_.rate);
  }

  std::string peers_of(std::size_t i) const {
    std::string text;
    for (const LinkPlan& link : links_) {
      if (link.a != i && link.b != i) continue;
      const std::size_t peer = link.a == i ? link.b : link.a;
      text += fmt::format(
          "\n[[peers]]\nsite = \"{}\"\naddress = \"127.0.0.1:{}\"\nclass = \"{}\"\n",
          sites_[peer].name, sites_[peer].port, kme::link_class_name(link.link_class()));
      if (link.relay_paths > 0) text += "high_water = \"16M\"\n";
      if (!link.qkd) continue;
      const DeviceFiles& device = link.devices[link.a == i ? 0 : 1];
      text += fmt::format(
          "[peers.device]\n# A real device takes the model's place by these lines alone.\n"
          "url = \"https://127.0.0.1:{}\"\nown_sae = \"{}\"\npeer_sae = \"{}\"\n"
          "certificate = \"{}/site.pem\"\nkey = \"{}/site.key\"\nca = \"{}/ca.pem\"\n"
          "origin = \"RATE_MODEL\"\nhigh_water = \"256M\"\n",
          device.api_port, device.own_sae, device.peer_sae, device.client_dir, device.client_dir,
          device.client_dir);
    }
    return text;
  }

  Result<> write_site(std::size_t i) {
    const std::string dir = site_dir(i);
    TRY(system_.files.make_directories(dir + "/data"));
    std::string text = fmt::format(
        "# Made by warifu net init. Every setting is explained in docs/configuration.md.\n"
        "[site]\nname = \"{}\"\nlisten = \"127.0.0.1:{}\"\napi_socket = \"{}/api.sock\"\n"
        "data_dir = \"{}/data\"\ncontroller = \"tommo\"\n",
        sites_[i].name, sites_[i].port, dir, dir);
    if (i == 0) {
      text += fmt::format(
          "policy = \"{}\"\n\n[catalog]\ncopies = [\"lsa\", \"tuh\"]\n\n[cards]\n"
          "records = [\"tommo\", \"lsa\", \"tuh\"]\n",
          kPolicy);
    }
    for (std::size_t j = 0; j < sites_.size(); ++j) {
      text += fmt::format("\n[[sites]]\nname = \"{}\"\nnumber = {}\nlabels = [{}]\n",
                          sites_[j].name, j + 1, sites_[j].labels);
      if (!sites_[j].region.empty()) {
        text += fmt::format("region = \"{}\"\n", sites_[j].region);
      }
      if (!sites_[j].failure_domains.empty()) {
        text += fmt::format("failure_domains = [\"{}\"]\n",
                            fmt::join(sites_[j].failure_domains, "\", \""));
      }
    }
    for (const LinkPlan& link : links_) {
      text +=
          fmt::format("\n[[links]]\na = \"{}\"\nb = \"{}\"\nclass = \"{}\"\n", sites_[link.a].name,
                      sites_[link.b].name, kme::link_class_name(link.link_class()));
      if (link.relay_paths > 0) text += fmt::format("paths = {}\n", link.relay_paths);
    }
    if (options_.web) {
      text += fmt::format("\n[web]\nlisten = \"127.0.0.1:{}\"\n", sites_[i].web_port);
    }
    return os::replace_file(system_.files, dir + "/site.toml",
                            as_bytes(text + peers_of(i) + (options_.kms ? kms_[i] : "")));
  }

  // A store sends from the origin to vault and gateway, and from the gateway to the clouds.
  [[nodiscard]] std::uint64_t key_ab(const LinkPlan& link) const {
    return link.a <= 2 ? (link.qkd ? bootstrap_bytes_ : preshare_bytes_) : key_ba(link);
  }
  [[nodiscard]] std::uint64_t key_ba(const LinkPlan& link) const {
    return back_bytes_.value_or(link.qkd ? bootstrap_bytes_ : preshare_bytes_);
  }

  // Links side by side: each one waits for the disk most of the time.
  Result<> make_all_keys() {
    constexpr std::size_t kWorkers = 3;
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      TRY(kme::open_root_key(system_, site_dir(i) + "/data"));  // before workers share it
    }
    std::vector<Result<>> results(links_.size());
    std::atomic<std::size_t> next = 0;
    ProgressLine progress("key of the links");
    const std::uint64_t total = std::accumulate(
        links_.begin(), links_.end(), std::uint64_t{0}, [&](std::uint64_t sum, const LinkPlan& l) {
          return l.relay_paths > 0 ? sum : sum + key_ab(l) + key_ba(l);
        });
    std::vector<std::uint64_t> done(links_.size());
    std::mutex mutex;
    const auto work = [&] {
      for (std::size_t i = next++; i < links_.size(); i = next++) {
        results[i] = make_key(links_[i], [&, i](std::uint64_t bytes) {
          const std::lock_guard lock(mutex);
          done[i] = bytes;
          progress.show(std::accumulate(done.begin(), done.end(), std::uint64_t{0}), total);
        });
      }
    };
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < kWorkers; ++i) workers.emplace_back(work);
    }
    for (const Result<>& result : results) TRY(result);
    return {};
  }

  // Pools at both ends, and preshared key through the same files that a courier would carry.
  // `progress` hears how many bytes of the link's key are at both ends.
  Result<> make_key(const LinkPlan& link, const std::function<void(std::uint64_t)>& progress) {
    const auto link_class = link.link_class();
    const SiteName a = *SiteName::parse(sites_[link.a].name);
    const SiteName b = *SiteName::parse(sites_[link.b].name);
    TRY(kme::create_link_pools(system_, site_dir(link.a) + "/data", {b, link_class, link.id}));
    TRY(kme::create_link_pools(system_, site_dir(link.b) + "/data", {a, link_class, link.id}));
    if (link.relay_paths > 0) return {};  // filled by the relays once the network runs
    const std::string stem = fmt::format("{}/preshare/{}-{}", dir_, a.text(), b.text());
    const std::string files[2] = {stem + "." + a.text(), stem + "." + b.text()};
    // Three passes of equal weight: draw, take in at one end, take in at the other.
    const auto third = [&](std::uint64_t pass) {
      return [&progress, pass](std::uint64_t done, std::uint64_t total) {
        progress((pass * total + done) / 3);
      };
    };
    TRY(kme::make_preshare(system_, {link.id, a, b, {}, {}, key_ab(link), key_ba(link)}, files[0],
                           files[1], third(0)));
    TRY(import(link.a, b, {b, link_class, link.id}, files[0], third(1)));
    return import(link.b, a, {a, link_class, link.id}, files[1], third(2));
  }

  Result<> import(std::size_t site, const SiteName& peer, const kme::LinkConfig& link,
                  const std::string& file, const kme::FileProgress& progress) {
    TRY_ASSIGN(const auto keys, kme::KeyManager::open(system_, site_dir(site) + "/data", {link}));
    kme::Link* pools = keys->link_to(peer);
    TRY(kme::import_preshare(system_, file, *SiteName::parse(sites_[site].name), pools->send(),
                             pools->receive(), progress));
    return system_.files.remove(file);
  }

  Result<> write_network() {
    std::string text = "# Made by warifu net init: the processes of this network.\n";
    for (const LinkPlan& link : links_) {
      if (!link.qkd) continue;
      for (const DeviceFiles& device : link.devices) {
        text += fmt::format(
            "\n[[processes]]\nname = \"{}\"\nkind = \"device\"\nconfig = "
            "\"devices/{}/device.toml\"\n"
            "ready = \"127.0.0.1:{}\"\n",
            device.name, device.name, device.api_port);
      }
    }
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      text += fmt::format(
          "\n[[processes]]\nname = \"{}\"\nkind = \"site\"\nconfig = \"sites/{}/site.toml\"\n"
          "ready = \"{}/api.sock\"\n",
          sites_[i].name, sites_[i].name, site_dir(i));
    }
    return os::replace_file(system_.files, dir_ + "/network.toml", as_bytes(text));
  }

  const NetInitOptions& options_;
  os::System system_ = os::real_system();
  std::string dir_;
  std::vector<Site> sites_;
  std::vector<LinkPlan> links_;
  std::vector<std::string> kms_;  // the [kms] of each site
  std::uint64_t preshare_bytes_ = 0;
  std::uint64_t bootstrap_bytes_ = 0;
  std::optional<std::uint64_t> back_bytes_;
};

}  // namespace

Result<> net_init(const Common& common, const NetInitOptions& options) {
  // Where so much cannot be locked the program stops here, before a file is written.
  (void)secret::Buffer{kLockedBytes};
  Init init(common, options);
  TRY(init.run());
  if (common.json) {
    print_json({{"net", init.dir()}, {"sites", init.site_count()}, {"links", init.link_count()}});
  } else {
    fmt::print(
        "made a network of {} sites and {} links in {}\nstart it with: warifu net up --net {}\n",
        init.site_count(), init.link_count(), init.dir(), init.dir());
  }
  return {};
}

}  // namespace warifu::apps
