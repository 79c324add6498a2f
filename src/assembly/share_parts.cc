// Opening, and who may ask for what.
#include "assembly/share_parts.h"

namespace warifu::assembly {

using control::number;

Result<std::unique_ptr<ShareParts>> ShareParts::open(const Base& base,
                                                     std::unique_ptr<os::Listener> listener,
                                                     channel::Dial dial) {
  std::unique_ptr<ShareParts> parts(new ShareParts());
  parts->caller_ = std::make_unique<channel::Caller>(base.keys, config::make_routes(base.config),
                                                     std::move(dial));
  parts->server_ =
      std::make_unique<channel::Server>(base.keys, *parts->caller_, std::move(listener));
  TRY(parts->open_parts(base));
  return parts;
}

Result<> ShareParts::open_parts(const Base& base) {
  const std::string& dir = base.config.data_dir;
  context_ = std::make_unique<control::SiteContext>(control::SiteContext{
      base.system, base.config, base.keys, *caller_, base.store, base.gate, base.log});
  TRY_ASSIGN(sightings_, control::SightingBook::open(base.system.files, dir + "/sightings"));
  shares_ = std::make_unique<control::ShareService>(*context_, *sightings_);
  shares_->add_handlers(*server_);
  control::add_sightings_handler(*server_, *context_, *sightings_);
  TRY_ASSIGN(given_, upkeep::GivenRecord::open(base.system.files, dir + "/given"));
  giver_ = std::make_unique<upkeep::ShareGiver>(*context_, *given_);
  giver_->add_handlers(*server_);
  taker_ = std::make_unique<upkeep::ShareTaker>(*context_, shares_->uploads());
  taker_->add_handlers(*server_);
  refresher_ = std::make_unique<upkeep::ShareRefresher>(*context_, shares_->uploads());
  refresher_->add_handlers(*server_);
  auditor_ = std::make_unique<upkeep::ShareAuditor>(*context_);
  auditor_->add_handlers(*server_);
  TRY_ASSIGN(copies_, recovery::CopyKeeper::open(base.system, dir + "/catalog-copies"));
  recovery_ = std::make_unique<recovery::RecoveryService>(*context_, *copies_);
  recovery_->add_handlers(*server_);
  TRY(open_scrubber());
  server_->set_urgent(
      {number(control::Method::kShareRead), number(control::Method::kShareCombine)});
  // Shares travel as planned; orders come the usual way only.
  server_->set_any_way({number(control::Method::kShareWrite), number(control::Method::kShareRead),
                        number(control::Method::kShareCombine), number(upkeep::Method::kGive),
                        number(upkeep::AuditMethod::kAudit),
                        number(upkeep::RefreshMethod::kZeros)});
  return {};
}

Result<> ShareParts::open_scrubber() {
  using upkeep::AuditMethod;
  const config::SiteConfig& config = context_->config;
  const auto tell = [this, &config](const std::vector<ShareId>& shares) -> Result<> {
    if (upkeep_ != nullptr) {
      upkeep_->hear_of_damage(config.name, shares);
      return {};
    }
    TRY(caller_->ask(config.controller, number(AuditMethod::kDamaged), upkeep::encode(shares)));
    return {};
  };
  TRY_ASSIGN(scrubber_, upkeep::Scrubber::open(*context_, config.data_dir + "/scrub", tell));
  server_->handle(number(AuditMethod::kDamageList),
                  [this](channel::Exchange& exchange) -> Result<> {
                    TRY(control::only_control(*context_, exchange.request().from));
                    return exchange.reply(upkeep::encode(scrubber_->damaged()));
                  });
  return {};
}

}  // namespace warifu::assembly
