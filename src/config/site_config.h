// A site's configuration file (TOML): who it is, who else there is, its links and devices, its
// policy.
//
// Every field is checked when the file is read; a mistake is told with file, line and field, and
// nothing starts. Unknown keys are mistakes too.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "channel/caller.h"
#include "consent/signature_trust.h"
#include "htsget/settings.h"
#include "kme/device_alarm.h"
#include "kme/key_manager.h"
#include "kme/random_filler.h"
#include "kme/sae_settings.h"
#include "operators/settings.h"
#include "sharing/scheme.h"
#include "web/settings.h"

namespace warifu::config {

// Access to the key device of a qkd link (ETSI GS QKD 014 over mutual TLS).
struct DeviceConfig {
  std::string url;          // https://host:port
  std::string own_sae;      // this site's SAE id at the device
  std::string peer_sae;     // the far end's SAE id
  std::string certificate;  // PEM files of this site as a client of the device
  std::string key;
  std::string ca;
  keypool::Origin origin = keypool::Origin::kHardware;
  std::uint64_t high_water_bytes = 256ULL << 20;  // pool level at which intake pauses
  kme::AlarmLimits alarms;
};

// One [[random.source]]. `device` only of kind "qkd", `file` only of "device" and "file".
enum class RandomKind : std::uint8_t { kKernel, kCpu, kDevice, kFile, kQkd };
struct RandomSourceConfig {
  RandomKind kind = RandomKind::kKernel;
  std::string file;
  std::optional<DeviceConfig> device;
  entropy::FeedSettings settings;
};
[[nodiscard]] Result<RandomKind> parse_random_kind(const std::string& text);
[[nodiscard]] std::string_view random_kind_name(RandomKind kind);

struct PeerConfig {
  kme::LinkConfig link;
  os::HostPort address;
  std::vector<DeviceConfig> devices;  // of a qkd link: at least one, in the same order at both ends
  std::uint64_t high_water_bytes = 16ULL << 20;  // of a relayed link
};

// What everybody knows of every site.
struct SiteEntry {
  SiteName name;
  std::uint8_t number = 0;
  std::vector<std::string> labels;
  bool accepts_shares = true;  // false: only where a policy names the site itself
  double weight = 1;           // of prices of shares that rest here
  std::string region = {};     // empty: in none
  std::vector<std::string> failure_domains = {};  // without the region (failure_domains.h)
};

// What everybody knows of every link.
struct LinkEntry {
  SiteName a, b;
  kme::LinkClass link_class = kme::LinkClass::kPreshared;
  // Of a relayed link: over how many disjoint paths each key comes, and the sites that may relay
  // it (all others when the file says nothing).
  unsigned paths = 0;
  std::vector<SiteName> via = {};

  [[nodiscard]] bool is_relayed() const { return link_class == kme::LinkClass::kRelayed; }
  [[nodiscard]] bool joins(const SiteName& x, const SiteName& y) const {
    return (a == x && b == y) || (a == y && b == x);
  }
};

// Where the control site keeps copies of its catalog, as shares (recovery/copy_maker.h).
struct CatalogCopies {
  std::vector<SiteName> holders;  // empty: nowhere
  sharing::Scheme scheme;         // as many shares as holders
  std::chrono::seconds interval{30};
};

// Where the control site keeps shares of what cards know of objects (custody/record_keeper.h).
struct CardRecords {
  std::vector<SiteName> holders;  // this site, too; empty: nowhere
  sharing::Scheme scheme;         // as many shares as holders
};

// Names as [[sites]] takes them. Errors: kInvalidArgument saying what they consist of.
[[nodiscard]] Result<std::string> parse_region(const std::string& text);
[[nodiscard]] Result<std::string> parse_failure_domain(const std::string& text);

struct SiteConfig {
  SiteName name;
  std::string path;  // of the configuration file
  os::HostPort listen;
  std::string api_socket;
  std::string data_dir;
  std::string log_file;  // empty: standard error
  SiteName controller;   // the site with share control
  bool allow_unlocked_memory = false;
  // Cuts take key of direct links as given shares instead of random numbers (cutting.h).
  bool key_as_share = true;
  kme::RandomFrom random_from = kme::RandomFrom::kPoolOrKernel;  // numbers for shares
  // Of kSources: they fill the pool up to the high-water mark.
  std::vector<RandomSourceConfig> random_sources;
  std::uint64_t random_high_water = 64ULL << 20;
  kme::KeyLimits key_limits;                   // of links that say nothing else
  std::optional<os::HostPort> metrics_listen;  // a loopback address
  // Bytes a second at which shares are read over; 0: only when somebody asks for it.
  std::uint64_t scrub_rate = 8ULL << 20;
  std::chrono::hours scrub_interval{30 * 24};  // from the end of one pass to the start of the next
  bool auto_repair = true;  // share control: what a site says is damaged is repaired at once
  // Share control: what stands whole and should be cut again, without a job, is cut by itself.
  bool auto_reshare = true;
  std::string policy;  // placement policy of share control
  // Share control: shares older than that are refreshed out of surplus key; 0: never by itself.
  std::chrono::seconds refresh_interval{0};
  std::uint64_t refresh_reserve = 1ULL << 30;  // bytes that it leaves on every link and direction
  // How often neighbours are told what was appended to this site's log; 0: only when asked.
  std::chrono::seconds log_interval{60};
  std::chrono::seconds upload_keep{7 *
                                   86'400};  // share control: an upload that nobody goes on with
  unsigned active_jobs = 8;  // share control: jobs that run at once, besides an urgent one
  CatalogCopies copies;
  CardRecords records;
  consent::SignatureSettings signature_cards;
  // Who opens objects in an emergency here; none: nobody.
  std::optional<consent::BreakGlass> break_glass;
  // Sequences that CRAM files are written against: assembly to FASTA file, with its .fai beside it.
  std::map<std::string, std::string> reference_files;
  // From the hot listing of a card here to the first one that may take its place.
  std::chrono::seconds reissue_delay{48 * 3600};
  std::vector<SiteEntry> sites;
  std::vector<LinkEntry> links;
  std::vector<PeerConfig> peers;
  std::optional<kme::SaeSettings> kms;  // keys for applications
  // Who works with the site; none: whoever may open its socket may do everything.
  std::optional<operators::Settings> operators;
  std::optional<web::Settings> web;  // pages on loopback
  // Between looks at the whole network while a page shows it; 0: never (share control).
  std::chrono::seconds web_look = web::kUsualLook;
  htsget::Settings htsget;  // views of regions (share control)

  [[nodiscard]] bool is_controller() const { return name == controller; }
  [[nodiscard]] const SiteEntry* find(const SiteName& site) const;
};

// Errors: kNotFound, kInvalidArgument with file and line.
[[nodiscard]] Result<SiteConfig> load_site_config(const std::string& path);

// Next hops by fewest links over the whole network, addresses of direct peers.
[[nodiscard]] channel::Routes make_routes(const SiteConfig& config);

// The sites that a request passes from `from` to `to`, both included: the two alone when they have
// a link, a relayed one too; else every hop by fewest links with own key, as each site on the way
// decides it; empty when there is no way.
[[nodiscard]] std::vector<SiteName> travel_route(const std::vector<LinkEntry>& links,
                                                 const SiteName& from, const SiteName& to);

// The link between two sites; nullptr without one.
[[nodiscard]] const LinkEntry* find_link(const std::vector<LinkEntry>& links, const SiteName& x,
                                         const SiteName& y);

// The links over which key of a relayed link may travel, both ways; nothing is known of them yet.
[[nodiscard]] std::vector<kme::RelayEdge> relay_graph(const std::vector<LinkEntry>& links,
                                                      const LinkEntry& relayed);

// Sites beside the route that know key which protects what travels on it: the relays of its relayed
// links with one path. Over several disjoint paths no single site knows it.
[[nodiscard]] std::set<SiteName> key_relays(const std::vector<LinkEntry>& links,
                                            const std::vector<SiteName>& route);

}  // namespace warifu::config
