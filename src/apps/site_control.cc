// Wiring of share control.
#include "apps/site_control.h"

namespace warifu::apps {

Result<std::unique_ptr<SiteControl>> SiteControl::open(Site site) {
  std::unique_ptr<SiteControl> made(new SiteControl(std::move(site)));
  TRY(made->open_parts());
  return made;
}

Result<> SiteControl::open_parts() {
  const control::SiteConfig& config = site_.context.config;
  control::SiteContext& context = site_.context;
  TRY_ASSIGN(catalog_, catalog::open_sqlite(config.data_dir + "/catalog.db"));
  jobs_ = std::make_unique<control::JobEngine>(context, site_.shares, *catalog_);
  jobs_->add_kind(catalog::JobKind::kStore, [](control::JobEngine& engine, const JobId& job) {
    return std::make_unique<control::StoreJob>(engine, job);
  });
  jobs_->add_kind(catalog::JobKind::kRebuild, [](control::JobEngine& engine, const JobId& job) {
    return std::make_unique<recovery::RebuildJob>(engine, job);
  });
  open_upkeep();
  enrolment_ = std::make_unique<control::Enrolment>(context, *catalog_);
  store_desk_ = std::make_unique<control::StoreDesk>(*jobs_);
  uploads_ = std::make_unique<control::UploadDesk>(*store_desk_, context, *catalog_);
  consent_desk_ = std::make_unique<control::ConsentDesk>(context, *catalog_, quotes_);
  restore_desk_ = std::make_unique<control::RestoreDesk>(context, site_.shares, *catalog_);
  region_desk_ = std::make_unique<control::RegionDesk>(context, *catalog_, *restore_desk_, quotes_);
  scores_ = std::make_unique<scoring::ScoreDesk>(context, *catalog_, *restore_desk_);
  views_ = std::make_unique<viewing::ViewDesk>(context, *catalog_, *restore_desk_);
  ceremonies_ = std::make_unique<control::CardCeremonies>(context, site_.cards, *catalog_,
                                                          *enrolment_, *consent_desk_);
  if (!config.copies.holders.empty()) {
    TRY_ASSIGN(copy_maker_, recovery::CopyMaker::open(context, *catalog_));
  }
  recovery_ = std::make_unique<recovery::RecoveryDesk>(*jobs_, copy_maker_.get());
  open_people();
  const custody::ConsentIntake intake(context, *catalog_, *consent_desk_, *records_, *emergencies_);
  services_ = std::make_unique<api::ControlServices>(api::ControlServices{
      *catalog_,     *enrolment_,   *store_desk_, *consent_desk_, *restore_desk_,
      *region_desk_, *upkeep_,      *jobs_,       *recovery_,     *audits_,
      *refreshes_,   *ceremonies_,  *records_,    *cards_,        *people_,
      *acts_,        *emergencies_, intake,       *uploads_,      *scores_,
      *views_});
  return {};
}

void SiteControl::open_upkeep() {
  const control::SiteConfig& config = site_.context.config;
  audits_ = std::make_unique<upkeep::AuditDesk>(*jobs_, site_.auditor);
  upkeep_ = std::make_unique<upkeep::UpkeepDesk>(
      *jobs_, upkeep::RelocationParts{site_.giver, site_.taker},
      upkeep::RefreshParts{site_.refresher, site_.auditor}, *audits_, site_.damaged);
  refreshes_ = std::make_unique<upkeep::RefreshScheduler>(
      *jobs_, *upkeep_, upkeep::RefreshSettings{config.refresh_interval, config.refresh_reserve});
  site_.server.handle(
      number(upkeep::AuditMethod::kDamaged), [this](channel::Exchange& exchange) -> Result<> {
        TRY_ASSIGN(const auto shares, upkeep::decode_shares(exchange.request().body));
        upkeep_->hear_of_damage(exchange.request().from, shares);
        return exchange.reply({});
      });
}

void SiteControl::open_people() {
  control::SiteContext& context = site_.context;
  records_ = std::make_unique<custody::RecordKeeper>(*jobs_, *catalog_, site_.custody);
  cards_ = std::make_unique<custody::CardDesk>(context, *catalog_, site_.custody, *enrolment_,
                                               *records_);
  acts_ = std::make_unique<custody::CardActs>(context, *catalog_, *consent_desk_);
  people_ = std::make_unique<custody::PeopleDesk>(context, *catalog_, site_.custody, *acts_);
  emergencies_ = std::make_unique<custody::EmergencyDesk>(context, *catalog_, *people_);
  cards_->set_also([this] { people_->tell_again(); });
}

Result<> SiteControl::start(const std::atomic<bool>& stopping) {
  TRY(jobs_->resume_all());
  refreshes_->start();
  if (copy_maker_ != nullptr) {
    copy_thread_ = std::jthread([this, &stopping] { copy_maker_->run(stopping); });
  }
  uploads_->start();
  views_->start();
  records_->start();
  cards_->start();
  return {};
}

void SiteControl::interrupt() {
  views_->interrupt();
  if (copy_maker_ != nullptr) copy_maker_->interrupt();
}

void SiteControl::stop_desks() {
  uploads_->stop();
  cards_->stop();
  records_->stop();
  refreshes_->stop();
}

void SiteControl::stop_views_and_audits() {
  views_->stop();
  audits_->stop();
}

void SiteControl::stop_jobs() {
  jobs_->stop();
  if (copy_thread_.joinable()) copy_thread_.join();
}

}  // namespace warifu::apps
