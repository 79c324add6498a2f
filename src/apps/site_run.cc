// `warifu site run`: the wiring of one site. Everything is opened before anything is served.
#include <fmt/format.h>

#include <set>
#include <thread>

#include "apps/api_front.h"
#include "apps/random_sources.h"
#include "apps/signals.h"
#include "apps/site_commands.h"
#include "apps/site_control.h"
#include "apps/site_gate.h"
#include "apps/site_intake.h"
#include "apps/site_kms.h"
#include "base/log.h"
#include "os/folders.h"
#include "planner/policy_check.h"

namespace warifu::apps {
namespace {

class Site {
 public:
  explicit Site(config::SiteConfig config) : config_(std::move(config)) {}

  ~Site() {
    stopping_ = true;                                // for the thread that watches
    if (filler_ != nullptr) filler_->stop();         // its thread is joined next
    if (parts_ != nullptr) parts_->server().stop();  // before those whom it serves go
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
    SiteKms::Listeners kms_listeners;
    if (config_.kms) {
      TRY_ASSIGN(kms_listeners, SiteKms::listen(*config_.kms));
    }
    if (config_.metrics_listen) {
      TRY_ASSIGN(metrics_listener_, os::listen_tcp(*config_.metrics_listen));
    }
    // Last: whoever finds this socket finds the other ports too.
    TRY_ASSIGN(api_, ApiFront::open(config_, system_, *log_));
    TRY_ASSIGN(parts_,
               assembly::ShareParts::open({system_, config_, *keys_, *store_, *gate_, *log_},
                                          std::move(channel_listener), os::connect_tcp));
    TRY(open_services());
    TRY_ASSIGN(intake_, SiteIntake::open(*parts_));
    TRY(open_random());
    if (config_.kms) {
      TRY_ASSIGN(kms_, SiteKms::open(*parts_, *config_.kms, std::move(kms_listeners)));
    }
    if (config_.is_controller()) {
      TRY_ASSIGN(control_, SiteControl::open({*parts_, *card_service_, *custody_}));
    }
    return {};
  }

  Result<> start() {
    parts_->server().start();
    intake_->start();
    if (filler_ != nullptr) random_thread_ = std::jthread([this] { filler_->run(); });
    api_->start(services());
    if (kms_ != nullptr) kms_->start();
    if (metrics_listener_ != nullptr) start_metrics();
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
    intake_->interrupt();
    if (control_ != nullptr) control_->interrupt();
    if (filler_ != nullptr) filler_->stop();  // nobody waits for numbers any more
    if (kms_ != nullptr) kms_->stop();
    if (metrics_ != nullptr) metrics_->stop();
    parts_->scrubber().stop();
    logs_->stop();
    if (control_ != nullptr) control_->stop_desks();
    api_->stop();  // no new uploads while jobs end
    if (control_ != nullptr) control_->stop_views_and_audits();
    parts_->server().stop();
    if (control_ != nullptr) control_->stop_jobs();
    intake_->stop();
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

  // What other sites ask of every site besides shares.
  Result<> open_services() {
    control::SiteContext& context = parts_->context();
    channel::Server& server = parts_->server();
    card_service_ = std::make_unique<control::CardService>(context);
    card_service_->add_handlers(server);
    TRY_ASSIGN(logs_, upkeep::LogKeeper::open(context, config_.data_dir, config_.log_interval));
    logs_->add_handlers(server);
    TRY_ASSIGN(record_safe_,
               custody::RecordSafe::open(system_, config_.data_dir + "/card-records"));
    custody_ = std::make_unique<custody::CustodyService>(context, *record_safe_);
    custody_->add_handlers(server);
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

  void start_metrics() {
    http::Router router;
    api::Services shown{parts_->context(), parts_->shares(), control_services()};
    shown.scrubber = &parts_->scrubber();
    api::add_metrics_route(router, shown);
    metrics_ =
        std::make_unique<http::Server>(std::move(metrics_listener_), nullptr, std::move(router),
                                       http::ServerOptions{.workers = 1, .max_connections = 16});
    metrics_->start();
    log_info("metrics at http://" + config_.metrics_listen->text() + "/metrics");
  }

  api::Services services() {
    return {.site = parts_->context(),
            .shares = parts_->shares(),
            .control = control_services(),
            .random = filler_.get(),
            .saes = kms_ == nullptr ? nullptr : &kms_->keys(),
            .streams = kms_ == nullptr ? nullptr : kms_->streams(),
            .disks = &intake_->disks(),
            .copies = &parts_->copies(),
            .scrubber = &parts_->scrubber(),
            .logs = logs_.get()};
  }
  // nullptr at other sites.
  [[nodiscard]] api::ControlServices* control_services() {
    return control_ == nullptr ? nullptr : control_->services();
  }

  // In the order of their needs: later ones use earlier ones and go first.
  os::System system_ = os::real_system();
  config::SiteConfig config_;
  std::atomic<bool> stopping_ = false;
  std::unique_ptr<kme::KeyManager> keys_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<consent::Gate> gate_;
  std::unique_ptr<store::ShareStore> store_;
  std::unique_ptr<os::Listener> metrics_listener_;
  std::unique_ptr<assembly::ShareParts> parts_;
  std::unique_ptr<control::CardService> card_service_;
  std::unique_ptr<upkeep::LogKeeper> logs_;
  std::unique_ptr<custody::RecordSafe> record_safe_;
  std::unique_ptr<custody::CustodyService> custody_;
  std::unique_ptr<SiteIntake> intake_;
  std::unique_ptr<kme::RandomFiller> filler_;  // nullptr: no sources
  std::jthread random_thread_;
  std::unique_ptr<SiteKms> kms_;          // nullptr: no keys for applications
  std::unique_ptr<SiteControl> control_;  // nullptr at other sites
  std::unique_ptr<ApiFront> api_;
  std::unique_ptr<http::Server> metrics_;
  std::jthread watch_;
};
}  // namespace

Result<> site_run(const ConfigOptions& options) {
  TRY_ASSIGN(config::SiteConfig config, config::load_site_config(options.config));
  TRY(init_log(config.name.text(), config.log_file, LogLevel::kInfo));
  if (config.is_controller()) {
    TRY_ASSIGN(const planner::PolicyReport report, planner::check_own_policy(config));
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
