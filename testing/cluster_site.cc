// The wiring of a simulated site; apps/site_run.cc has the real one.
#include "testing/cluster_site.h"

#include "control/store_job.h"
#include "os/folders.h"

namespace warifu::sim {

using control::number;

ClusterSite::~ClusterSite() {
  stop();
}

Result<> ClusterSite::open() {
  os::FileSystem& files = system_.files;
  const std::string& dir = config_.data_dir;
  if (!files.exists(dir)) TRY(os::make_folder(files, dir));
  std::vector<kme::LinkConfig> links;
  for (const auto& peer : config_.peers) links.push_back(peer.link);
  TRY_ASSIGN(keys_, kme::KeyManager::open(system_, dir, links, config_.random_from));
  TRY_ASSIGN(log_, audit::Log::open(system_, dir + "/audit.log", config_.name));
  TRY_ASSIGN(gate_, consent::Gate::open(system_, dir + "/gate", config_.name, keys_->root_key(),
                                        *log_, {.nonce_life = std::chrono::days(7)}));
  TRY_ASSIGN(store_, store::open_directory_store(files, dir + "/shares"));
  if (bends_.store) store_ = bends_.store(std::move(store_));
  caller_ = std::make_unique<channel::Caller>(*keys_, control::make_routes(config_),
                                              net_.dial_from(process_));
  context_ = std::make_unique<control::SiteContext>(
      control::SiteContext{system_, config_, *keys_, *caller_, *store_, *gate_, *log_});
  shares_ = std::make_unique<control::ShareService>(*context_);
  server_ = std::make_unique<channel::Server>(*keys_, *caller_, net_.listen(process_));
  shares_->add_handlers(*server_);
  TRY(open_upkeep());
  server_->set_urgent(
      {number(control::Method::kShareRead), number(control::Method::kShareCombine)});
  server_->set_any_way({number(control::Method::kShareWrite), number(control::Method::kShareRead),
                        number(control::Method::kShareCombine), number(upkeep::Method::kGive),
                        number(upkeep::AuditMethod::kAudit),
                        number(upkeep::RefreshMethod::kZeros)});
  if (config_.is_controller()) TRY(open_control());
  return {};
}

Result<> ClusterSite::open_upkeep() {
  using upkeep::AuditMethod;
  TRY_ASSIGN(given_, upkeep::GivenRecord::open(system_.files, config_.data_dir + "/given"));
  giver_ = std::make_unique<upkeep::ShareGiver>(*context_, *given_);
  giver_->add_handlers(*server_);
  taker_ = std::make_unique<upkeep::ShareTaker>(*context_, shares_->uploads());
  taker_->add_handlers(*server_);
  refresher_ = std::make_unique<upkeep::ShareRefresher>(*context_, shares_->uploads());
  refresher_->add_handlers(*server_);
  auditor_ = std::make_unique<upkeep::ShareAuditor>(*context_);
  auditor_->add_handlers(*server_);
  const auto tell = [this](const std::vector<ShareId>& shares) -> Result<> {
    if (config_.is_controller()) {
      upkeep_desk_->hear_of_damage(config_.name, shares);
      return {};
    }
    TRY(caller_->ask(config_.controller, number(AuditMethod::kDamaged), upkeep::encode(shares)));
    return {};
  };
  TRY_ASSIGN(scrubber_, upkeep::Scrubber::open(*context_, config_.data_dir + "/scrub", tell));
  server_->handle(number(AuditMethod::kDamageList),
                  [this](channel::Exchange& exchange) -> Result<> {
                    TRY(control::only_control(*context_, exchange.request().from));
                    return exchange.reply(upkeep::encode(scrubber_->damaged()));
                  });
  return {};
}

Result<> ClusterSite::open_control() {
  TRY_ASSIGN(catalog_, catalog::open_sqlite(config_.data_dir + "/catalog.db", system_.files));
  jobs_ = std::make_unique<control::JobEngine>(*context_, *shares_, *catalog_);
  jobs_->add_kind(catalog::JobKind::kStore, [](control::JobEngine& engine, const JobId& job) {
    return std::make_unique<control::StoreJob>(engine, job);
  });
  audits_ = std::make_unique<upkeep::AuditDesk>(*jobs_, *auditor_);
  upkeep_desk_ =
      std::make_unique<upkeep::UpkeepDesk>(*jobs_, upkeep::RelocationParts{*giver_, *taker_},
                                           upkeep::RefreshParts{*refresher_, *auditor_}, *audits_,
                                           [this] { return scrubber_->damaged(); });
  server_->handle(number(upkeep::AuditMethod::kDamaged),
                  [this](channel::Exchange& exchange) -> Result<> {
                    TRY_ASSIGN(const auto shares, upkeep::decode_shares(exchange.request().body));
                    upkeep_desk_->hear_of_damage(exchange.request().from, shares);
                    return exchange.reply({});
                  });
  enrolment_ = std::make_unique<control::Enrolment>(*context_, *catalog_);
  store_desk_ = std::make_unique<control::StoreDesk>(*jobs_);
  consent_desk_ = std::make_unique<control::ConsentDesk>(*context_, *catalog_, quotes_);
  restore_desk_ = std::make_unique<control::RestoreDesk>(*context_, *shares_, *catalog_);
  return {};
}

Result<> ClusterSite::start() {
  started_ = true;
  server_->start();
  if (jobs_ != nullptr) TRY(jobs_->resume_all());
  scrubber_->start();
  return {};
}

void ClusterSite::stop() {
  if (!std::exchange(started_, false)) return;
  scrubber_->stop();
  if (audits_ != nullptr) audits_->stop();
  server_->stop();
  if (jobs_ != nullptr) jobs_->stop();
}

}  // namespace warifu::sim
