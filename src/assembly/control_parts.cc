// Wiring of what keeps objects.
#include "assembly/control_parts.h"

#include "control/store_job.h"

namespace warifu::assembly {

using control::number;

Result<std::unique_ptr<ControlParts>> ControlParts::open(ShareParts& site) {
  std::unique_ptr<ControlParts> made(new ControlParts());
  TRY(made->open_parts(site));
  return made;
}

Result<> ControlParts::open_parts(ShareParts& site) {
  control::SiteContext& context = site.context();
  TRY_ASSIGN(catalog_,
             catalog::open_sqlite(context.config.data_dir + "/catalog.db", context.system.files));
  jobs_ = std::make_unique<control::JobEngine>(context, site.shares(), *catalog_);
  jobs_->add_kind(catalog::JobKind::kStore, [](control::JobEngine& engine, const JobId& job) {
    return std::make_unique<control::StoreJob>(engine, job);
  });
  jobs_->add_kind(catalog::JobKind::kRebuild, [](control::JobEngine& engine, const JobId& job) {
    return std::make_unique<recovery::RebuildJob>(engine, job);
  });
  open_upkeep(site);
  enrolment_ = std::make_unique<control::Enrolment>(context, *catalog_);
  store_desk_ = std::make_unique<control::StoreDesk>(*jobs_);
  consent_desk_ = std::make_unique<control::ConsentDesk>(context, *catalog_, quotes_);
  restore_desk_ = std::make_unique<control::RestoreDesk>(context, site.shares(), *catalog_);
  if (!context.config.copies.holders.empty()) {
    TRY_ASSIGN(copy_maker_, recovery::CopyMaker::open(context, *catalog_));
  }
  recovery_ = std::make_unique<recovery::RecoveryDesk>(*jobs_, copy_maker_.get());
  return {};
}

void ControlParts::open_upkeep(ShareParts& site) {
  const config::SiteConfig& config = site.context().config;
  audits_ = std::make_unique<upkeep::AuditDesk>(*jobs_, site.auditor());
  upkeep_ = std::make_unique<upkeep::UpkeepDesk>(
      *jobs_, upkeep::RelocationParts{site.giver(), site.taker()},
      upkeep::RefreshParts{site.refresher(), site.auditor()}, *audits_,
      [&site] { return site.scrubber().damaged(); });
  site.set_upkeep(*upkeep_);
  refreshes_ = std::make_unique<upkeep::RefreshScheduler>(
      *jobs_, *upkeep_, upkeep::RefreshSettings{config.refresh_interval, config.refresh_reserve});
  reshares_ = std::make_unique<upkeep::ReshareScheduler>(*jobs_, *upkeep_);
  jobs_->watch_done([this](catalog::JobKind kind) {
    // A rebuilt catalog may have found some; and where many wait, the next one's turn has come.
    if (kind == catalog::JobKind::kRebuild || kind == catalog::JobKind::kReshare) {
      reshares_->hurry();
    }
  });
  site.server().handle(
      number(upkeep::AuditMethod::kDamaged), [this](channel::Exchange& exchange) -> Result<> {
        TRY_ASSIGN(const auto shares, upkeep::decode_shares(exchange.request().body));
        upkeep_->hear_of_damage(exchange.request().from, shares);
        return exchange.reply({});
      });
}

Result<> ControlParts::start() {
  TRY(jobs_->resume_all());
  refreshes_->start();
  reshares_->start();
  if (copy_maker_ != nullptr) {
    copy_thread_ = std::jthread([this] { copy_maker_->run(stopping_); });
  }
  return {};
}

void ControlParts::interrupt() {
  stopping_ = true;
  if (copy_maker_ != nullptr) copy_maker_->interrupt();
}

void ControlParts::stop_jobs() {
  jobs_->stop();
  if (copy_thread_.joinable()) copy_thread_.join();
}

}  // namespace warifu::assembly
