// Wiring of share control.
#include "apps/site_control.h"

namespace warifu::apps {

Result<std::unique_ptr<SiteControl>> SiteControl::open(Site site) {
  std::unique_ptr<SiteControl> made(new SiteControl(std::move(site)));
  TRY(made->open_parts());
  return made;
}

Result<> SiteControl::open_parts() {
  control::SiteContext& context = site_.parts.context();
  TRY_ASSIGN(parts_, assembly::ControlParts::open(site_.parts));
  catalog::Catalog& catalog = parts_->catalog();
  control::RestoreDesk& restores = parts_->restore_desk();
  uploads_ = std::make_unique<control::UploadDesk>(parts_->store_desk(), context, catalog);
  region_desk_ =
      std::make_unique<control::RegionDesk>(context, catalog, restores, parts_->quotes());
  scores_ = std::make_unique<scoring::ScoreDesk>(context, catalog, restores);
  views_ = std::make_unique<viewing::ViewDesk>(context, catalog, restores);
  ceremonies_ = std::make_unique<control::CardCeremonies>(
      context, site_.cards, catalog, parts_->enrolment(), parts_->consent_desk());
  open_people();
  const custody::ConsentIntake intake(context, catalog, parts_->consent_desk(), *records_,
                                      *emergencies_);
  services_ = std::make_unique<api::ControlServices>(api::ControlServices{catalog,
                                                                          parts_->enrolment(),
                                                                          parts_->store_desk(),
                                                                          parts_->consent_desk(),
                                                                          restores,
                                                                          *region_desk_,
                                                                          parts_->upkeep(),
                                                                          parts_->jobs(),
                                                                          parts_->recovery(),
                                                                          parts_->audits(),
                                                                          parts_->refreshes(),
                                                                          parts_->reshares(),
                                                                          *ceremonies_,
                                                                          *records_,
                                                                          *cards_,
                                                                          *people_,
                                                                          *acts_,
                                                                          *emergencies_,
                                                                          intake,
                                                                          *uploads_,
                                                                          *scores_,
                                                                          *views_});
  return {};
}

void SiteControl::open_people() {
  control::SiteContext& context = site_.parts.context();
  catalog::Catalog& catalog = parts_->catalog();
  records_ = std::make_unique<custody::RecordKeeper>(parts_->jobs(), catalog, site_.custody);
  cards_ = std::make_unique<custody::CardDesk>(context, catalog, site_.custody, parts_->enrolment(),
                                               *records_);
  acts_ = std::make_unique<custody::CardActs>(context, catalog, parts_->consent_desk());
  people_ = std::make_unique<custody::PeopleDesk>(context, catalog, site_.custody, *acts_);
  emergencies_ = std::make_unique<custody::EmergencyDesk>(context, catalog, *people_);
  cards_->set_also([this] { people_->tell_again(); });
}

Result<> SiteControl::start() {
  TRY(parts_->start());
  uploads_->start();
  views_->start();
  records_->start();
  cards_->start();
  return {};
}

void SiteControl::interrupt() {
  views_->interrupt();
  parts_->interrupt();
}

void SiteControl::stop_desks() {
  uploads_->stop();
  cards_->stop();
  records_->stop();
  parts_->stop_desks();
}

void SiteControl::stop_views_and_audits() {
  views_->stop();
  parts_->stop_audits();
}

void SiteControl::stop_jobs() {
  parts_->stop_jobs();
}

}  // namespace warifu::apps
