// `warifu site run`: the wiring of one site. Everything is opened before anything is served.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "apps/api_front.h"
#include "apps/commands.h"
#include "apps/random_sources.h"
#include "apps/signals.h"
#include "apps/site_control.h"
#include "apps/site_gate.h"
#include "base/log.h"
#include "control/key_relay.h"
#include "control/policy_check.h"
#include "control/sae_channel.h"
#include "control/site_config.h"
#include "control/stream_channel.h"
#include "kme/disk_intakes.h"
#include "kme/entropy_routes.h"
#include "kme/intake.h"
#include "kme/reconcile.h"
#include "kme/stream_server.h"
#include "os/folders.h"

namespace warifu::apps {
namespace {

// The intake of one qkd or relayed link: its devices (a relayed one has what KeyRelay makes), and
// the thread that leads the sending direction.
struct LinkIntake {
  std::vector<std::unique_ptr<kme::Etsi014Device>> devices;
  std::unique_ptr<kme::Intake> intake;
  std::jthread thread;
};

class Site {
 public:
  explicit Site(control::SiteConfig config) : config_(std::move(config)) {}

  ~Site() {
    stopping_ = true;  // a site that could not start has threads already
    if (filler_ != nullptr) filler_->stop();  // its thread is joined next
    if (server_ != nullptr) server_->stop();  // before those whom it serves go
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  Result<> open() {
    if (!system_.files.exists(config_.data_dir)) {
      TRY(os::make_folder(system_.files, config_.data_dir));
    }
    std::vector<kme::LinkConfig> links;
    for (const auto& peer : config_.peers) links.push_back(peer.link);
    TRY_ASSIGN(keys_, open_keys(links));
    TRY_ASSIGN(log_, audit::Log::open(system_, config_.data_dir + "/audit.log", config_.name));
    TRY_ASSIGN(gate_, open_gate(system_, config_, keys_->root_key(), *log_));
    TRY_ASSIGN(store_, store::open_directory_store(system_.files, config_.data_dir + "/shares"));
    TRY_ASSIGN(auto channel_listener, os::listen_tcp(config_.listen));
    if (config_.kms) {
      TRY_ASSIGN(kms_listener_, os::listen_tcp(config_.kms->listen));
      TRY(listen_for_streams(*config_.kms));
    }
    // Last: whoever finds this socket finds the other ports too.
    TRY_ASSIGN(api_, ApiFront::open(config_, system_, *log_));
    TRY_ASSIGN(parts_,
               assembly::ShareParts::open({system_, config_, *keys_, *store_, *gate_, *log_},
                                          std::move(channel_listener), os::connect_tcp));
    caller_ = &parts_->caller();
    context_ = &parts_->context();
    server_ = &parts_->server();
    card_service_ = std::make_unique<control::CardService>(*context_);
    card_service_->add_handlers(*server_);
    TRY_ASSIGN(logs_, upkeep::LogKeeper::open(*context_, config_.data_dir, config_.log_interval));
    logs_->add_handlers(*server_);
    TRY_ASSIGN(record_safe_,
               custody::RecordSafe::open(system_, config_.data_dir + "/card-records"));
    custody_ = std::make_unique<custody::CustodyService>(*context_, *record_safe_);
    custody_->add_handlers(*server_);
    TRY(open_intake());
    TRY_ASSIGN(disks_, kme::DiskIntakes::open(system_, config_.data_dir, config_.name, *keys_));
    TRY(open_random());
    TRY(open_kms());
    add_key_handlers();
    if (config_.metrics_listen) {
      TRY_ASSIGN(metrics_listener_, os::listen_tcp(*config_.metrics_listen));
    }
    if (config_.is_controller()) TRY(open_control());
    return {};
  }

  Result<> start() {
    server_->start();
    for (auto& [peer, link] : intakes_) {
      link.thread = std::jthread([this, &peer = peer, &link = link] {
        link.intake->run(
            [this, &peer](kme::IntakeMethod method, Bytes body) {
              const bool relayed = keys_->link_to(peer)->link_class() == kme::LinkClass::kRelayed;
              return relayed
                         ? relay_->tell(peer, method, body)
                         : caller_->ask(peer, static_cast<std::uint16_t>(method), std::move(body));
            },
            stopping_);
      });
    }
    disks_->start([this](const SiteName& peer, kme::IntakeMethod method, Bytes body) {
      return caller_->ask(peer, static_cast<std::uint16_t>(method), std::move(body));
    });
    if (filler_ != nullptr) random_thread_ = std::jthread([this] { filler_->run(); });
    api_->start({*context_, parts_->shares(), control_services(), filler_.get(), saes_.get(),
                 streams_.get(), disks_.get(), &parts_->copies(), &parts_->scrubber(),
                 logs_.get()});
    if (kms_ != nullptr) {
      saes_->start();
      kms_->start();
      if (stream_server_ != nullptr) stream_server_->start();
    }
    if (metrics_listener_ != nullptr) {
      http::Router router;
      api::Services shown{*context_, parts_->shares(), control_services()};
      shown.scrubber = &parts_->scrubber();
      api::add_metrics_route(router, shown);
      metrics_ =
          std::make_unique<http::Server>(std::move(metrics_listener_), nullptr, std::move(router),
                                         http::ServerOptions{.workers = 1, .max_connections = 16});
      metrics_->start();
      log_info("metrics at http://" + config_.metrics_listen->text() + "/metrics");
    }
    watch_ = std::jthread([this] { watch_keys(); });
    if (control_ != nullptr) TRY(control_->start());
    parts_->scrubber().start();
    logs_->start();
    log_info("site " + config_.name.text() + " listens on " + config_.listen.text());
    return {};
  }

  void stop() {
    log_info("site " + config_.name.text() + " stops");
    stopping_ = true;
    if (control_ != nullptr) control_->interrupt();
    if (filler_ != nullptr) filler_->stop();  // nobody waits for numbers any more
    if (kms_ != nullptr) kms_->stop();
    if (streams_ != nullptr) {
      streams_->stop();
      stream_server_->stop();
    }
    if (metrics_ != nullptr) metrics_->stop();
    parts_->scrubber().stop();
    logs_->stop();
    if (control_ != nullptr) control_->stop_desks();
    api_->stop();  // no new uploads while jobs end
    if (control_ != nullptr) control_->stop_views_and_audits();
    server_->stop();
    if (control_ != nullptr) control_->stop_jobs();
    disks_->stop();
    intakes_.clear();
    if (random_thread_.joinable()) random_thread_.join();
    if (watch_.joinable()) watch_.join();
  }

 private:
  // A killed site keeps its locks until its last thread has ended: worth waiting some seconds.
  Result<std::unique_ptr<kme::KeyManager>> open_keys(const std::vector<kme::LinkConfig>& links) {
    constexpr int kTries = 25;
    for (int attempt = 1;; ++attempt) {
      auto keys = kme::KeyManager::open(system_, config_.data_dir, links, config_.random_from);
      const bool again = !keys && keys.error().code == Code::kBusy && attempt < kTries;
      if (!again) return keys;
      system_.clock.sleep(std::chrono::milliseconds(200));
    }
  }

  // Averages, states and trails, once a second.
  void watch_keys() {
    std::set<std::string> trouble;
    while (!stopping_) {
      for (kme::Link* link : keys_->links()) {
        for (const std::string& change : link->sample()) log_info(change);
        for (keypool::Pool* pool : {&link->send(), &link->receive()}) {
          if (pool->trail() == nullptr) continue;
          const auto flushed = pool->trail()->flush();
          if (!flushed && trouble.insert(flushed.error().message).second) {
            log_warning("trail of the link to " + link->peer().text() +
                        " loses records: " + flushed.error().message);
          }
        }
      }
      for (int i = 0; i < 10 && !stopping_; ++i) {
        system_.clock.sleep(std::chrono::milliseconds(100));
      }
    }
  }

  void add_key_handlers() {
    const auto on = [&](kme::IntakeMethod method, auto answer) {
      server_->handle(static_cast<std::uint16_t>(method),
                      [this, answer](channel::Exchange& exchange) -> Result<> {
                        kme::Link* link = keys_->link_to(exchange.request().from);
                        if (link == nullptr) {
                          return fail(Code::kRefused, "only the other end of a link may ask this");
                        }
                        TRY_ASSIGN(Bytes body, answer(*link, exchange.request().body));
                        return exchange.reply(std::move(body));
                      });
    };
    on(kme::IntakeMethod::kReconcile, kme::answer_reconcile);
    on(kme::IntakeMethod::kRetire, kme::answer_retire);
    on(kme::IntakeMethod::kDisk,
       [this](kme::Link& link, ByteView body) { return disks_->answer(link.peer(), body); });
  }

  Result<> open_intake() {
    relay_ = std::make_unique<control::KeyRelay>(*context_);
    relay_->add_handlers(*server_,
                         [this](const SiteName& peer, kme::IntakeMethod method, ByteView body) {
                           return intakes_.at(peer).intake->answer(method, body);
                         });
    for (const auto& peer : config_.peers) {
      if (peer.link.link_class == kme::LinkClass::kRelayed) {
        kme::Link& link = *keys_->link_to(peer.link.peer);
        intakes_[peer.link.peer].intake = std::make_unique<kme::Intake>(
            system_, link,
            std::vector{kme::IntakeDevice{&relay_->add_link(peer.link.peer), "relay"}},
            peer.high_water_bytes);
        continue;
      }
      if (peer.devices.empty()) continue;
      LinkIntake& link = intakes_[peer.link.peer];
      std::vector<kme::IntakeDevice> devices;
      std::uint64_t high_water = 0;
      for (const control::DeviceConfig& config : peer.devices) {
        TRY_ASSIGN(auto device, open_key_device(config, config_.path));
        devices.push_back({device.get(), device->name(), config.alarms});
        link.devices.push_back(std::move(device));
        high_water = std::max(high_water, config.high_water_bytes);
      }
      link.intake = std::make_unique<kme::Intake>(system_, *keys_->link_to(peer.link.peer), devices,
                                                  high_water);
    }
    for (const auto method :
         {kme::IntakeMethod::kOffer, kme::IntakeMethod::kCommit, kme::IntakeMethod::kQuarantine}) {
      server_->handle(static_cast<std::uint16_t>(method),
                      [this, method](channel::Exchange& exchange) -> Result<> {
                        const auto it = intakes_.find(exchange.request().from);
                        if (it == intakes_.end()) {
                          return fail(Code::kRefused, "this link takes no key from devices");
                        }
                        TRY_ASSIGN(Bytes answer,
                                   it->second.intake->answer(method, exchange.request().body));
                        return exchange.reply(std::move(answer));
                      });
    }
    return {};
  }

  Result<> open_random() {
    if (config_.random_from != kme::RandomFrom::kSources) return {};
    std::vector<std::unique_ptr<entropy::Feed>> feeds;
    for (const auto& source : config_.random_sources) {
      TRY_ASSIGN(feeds.emplace_back(), open_feed(system_, source, config_.data_dir, config_.path));
    }
    filler_ = std::make_unique<kme::RandomFiller>(system_, keys_->random(), std::move(feeds),
                                                  config_.random_high_water);
    return {};
  }

  Result<> open_kms() {
    if (!config_.kms) return {};
    const kme::SaeSettings& settings = *config_.kms;
    TRY_ASSIGN(auto tls,
               crypto::TlsContext::load(crypto::TlsSide::kServer,
                                        {settings.certificate, settings.key, settings.ca}));
    sae_channel_ = std::make_unique<control::SaeChannel>(*caller_, system_.random);
    TRY_ASSIGN(saes_, kme::SaeKeys::open(system_, config_.data_dir + "/sae-keys", config_.name,
                                         settings, *keys_, *sae_channel_));
    control::add_sae_handlers(*server_, *saes_);
    TRY(open_streams());
    http::Router router;
    kme::add_etsi014_routes(router, *saes_, saes_->identities(), &saes_->gate().refusals());
    kme::add_entropy_routes(router, system_, keys_->random(), saes_->gate(), saes_->identities());
    // A worker waits while its order is made durable at both ends; many share one message.
    http::ServerOptions options{.workers = 64, .max_connections = 2048};
    kms_ = std::make_unique<http::Server>(std::move(kms_listener_), std::move(tls),
                                          std::move(router), options);
    return {};
  }

  // Key streams for applications on this machine; the settings are those that `saes_` keeps.
  Result<> open_streams() {
    const kme::SaeSettings& settings = saes_->settings();
    if (stream_listener_ == nullptr) return {};
    stream_channel_ = std::make_unique<control::StreamChannel>(*caller_, system_.random);
    streams_ = std::make_unique<kme::KeyStreams>(system_, config_.name, settings, *keys_,
                                                 saes_->gate(), *stream_channel_);
    control::add_stream_handlers(*server_, *streams_);
    stream_server_ = std::make_unique<kme::StreamServer>(std::move(stream_listener_), *streams_);
    return {};
  }

  Result<> listen_for_streams(const kme::SaeSettings& settings) {
    if (settings.streams.socket.empty()) return {};
    const bool shared = std::ranges::any_of(
        settings.saes, [](const kme::SaeEntry& sae) { return !sae.users.empty(); });
    TRY_ASSIGN(stream_listener_, os::listen_unix(settings.streams.socket, shared ? 0660 : 0600));
    return {};
  }

  Result<> open_control() {
    TRY_ASSIGN(control_, SiteControl::open({*parts_, *card_service_, *custody_}));
    return {};
  }
  // nullptr at other sites.
  [[nodiscard]] api::ControlServices* control_services() {
    return control_ == nullptr ? nullptr : control_->services();
  }

  // In the order of their needs: later ones use earlier ones and go first.
  os::System system_ = os::real_system();
  control::SiteConfig config_;
  std::atomic<bool> stopping_ = false;
  std::unique_ptr<kme::KeyManager> keys_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<consent::Gate> gate_;
  std::unique_ptr<store::ShareStore> store_;
  std::unique_ptr<os::Listener> kms_listener_;
  std::unique_ptr<os::Listener> stream_listener_;
  std::unique_ptr<os::Listener> metrics_listener_;
  std::unique_ptr<assembly::ShareParts> parts_;
  channel::Caller* caller_ = nullptr;  // these are the parts'
  control::SiteContext* context_ = nullptr;
  channel::Server* server_ = nullptr;
  std::unique_ptr<control::CardService> card_service_;
  std::unique_ptr<upkeep::LogKeeper> logs_;
  std::unique_ptr<custody::RecordSafe> record_safe_;
  std::unique_ptr<custody::CustodyService> custody_;
  std::unique_ptr<control::SaeChannel> sae_channel_;
  std::unique_ptr<kme::SaeKeys> saes_;
  std::unique_ptr<control::StreamChannel> stream_channel_;
  std::unique_ptr<kme::KeyStreams> streams_;  // nullptr: no key streams
  std::unique_ptr<control::KeyRelay> relay_;
  std::map<SiteName, LinkIntake> intakes_;
  std::unique_ptr<kme::DiskIntakes> disks_;
  std::unique_ptr<kme::RandomFiller> filler_;  // nullptr: no sources
  std::jthread random_thread_;
  std::unique_ptr<SiteControl> control_;  // nullptr at other sites
  std::unique_ptr<ApiFront> api_;
  std::unique_ptr<http::Server> kms_;
  std::unique_ptr<kme::StreamServer> stream_server_;
  std::unique_ptr<http::Server> metrics_;
  std::jthread watch_;
};
}  // namespace

Result<> site_run(const ConfigOptions& options) {
  TRY_ASSIGN(control::SiteConfig config, control::load_site_config(options.config));
  TRY(init_log(config.name.text(), config.log_file, LogLevel::kInfo));
  if (config.is_controller()) {
    TRY_ASSIGN(const control::PolicyReport report, control::check_own_policy(config));
    for (const std::string& warning : report.warnings) log_warning("policy: " + warning);
  }
  if (config.allow_unlocked_memory) secret::allow_unlocked();
  block_stop_signals();
  Site site(std::move(config));
  TRY(site.open());
  TRY(site.start());
  wait_for_stop_signal();
  site.stop();
  return {};
}

}  // namespace warifu::apps
