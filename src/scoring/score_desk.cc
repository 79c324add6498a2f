// Plans, one use, sums; and what is kept of them.
#include "scoring/score_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/reason.h"
#include "consent/veil.h"
#include "control/access_line.h"

namespace warifu::scoring {
namespace {

bool holds(const consent::Scope& scope, const risk::Site& site) {
  if (scope.is_whole()) return true;
  return std::ranges::any_of(scope.regions, [&](const consent::Region& region) {
    return risk::plain_chromosome(region.reference) == site.chromosome &&
           region.start <= site.position && site.position <= region.end;
  });
}

// Where sites are, for an index: many small regions, which no grant could name.
consent::Scope places_of(const ScorePlan& plan) {
  consent::Scope places{.assembly = std::string(risk::assembly_name(plan.file.assembly)),
                        .regions = {}};
  for (const risk::Site& site : plan.sites) {
    places.regions.push_back({site.chromosome, site.position, site.position, {}});
  }
  return places;
}

std::string refusal_of(const ScorePlan& plan, const risk::ScoreRules& rules) {
  const double coverage =
      static_cast<double>(plan.usable) / static_cast<double>(plan.file.variants.size());
  if (coverage < rules.min_coverage) {
    return fmt::format(
        "{} of {} sites could be used at best ({} lie outside the consent), {:.1f} % are needed; "
        "nothing was read and no use was taken",
        plan.usable, plan.file.variants.size(), plan.outside, 100 * rules.min_coverage);
  }
  if (plan.grant.scope.is_whole() && plan.sites.size() > kMostPlaces) {
    return fmt::format(
        "the score has {} sites; at most {} are read one by one. Restore the data and use `warifu "
        "risk score` on it",
        plan.sites.size(), kMostPlaces);
  }
  return {};
}

}  // namespace

Result<ScorePlan> plan_score(const ScoreWish& wish, const consent::Grant& grant) {
  ScorePlan plan{.grant = grant};
  TRY_ASSIGN(plan.file, risk::parse_scoring_file(wish.file, wish.assumed));
  if (grant.scope.is_index()) {
    return fail(Code::kRefused, "the consent is for the index of the data alone");
  }
  if (!grant.scope.is_whole()) {
    const auto assembly = risk::parse_assembly(grant.scope.assembly);
    if (!assembly || *assembly != plan.file.assembly) {
      return fail(Code::kInvalidArgument, "the score's sites are of " +
                                              std::string(risk::assembly_name(plan.file.assembly)) +
                                              ", the consent's regions of " + grant.scope.assembly);
    }
  }
  for (const risk::Site& site : risk::sites_of(plan.file)) {
    if (holds(grant.scope, site)) plan.sites.push_back(site);
  }
  for (const risk::ScoringVariant& variant : plan.file.variants) {
    if (!variant.is_usable()) continue;
    const bool is_inside = holds(grant.scope, {variant.chromosome, variant.position});
    plan.outside += is_inside ? 0 : 1;
    const bool is_left_out = wish.rules.leave_out_ambiguous && variant.is_ambiguous;
    plan.usable += is_inside && !is_left_out ? 1 : 0;
  }
  plan.refusal = refusal_of(plan, wish.rules);
  return plan;
}

// One of kMostAtOnce.
class ScoreDesk::Turn {
 public:
  explicit Turn(ScoreDesk& desk) : desk_(desk) {
    const std::lock_guard lock(desk_.mutex_);
    has_ = desk_.at_once_ < kMostAtOnce;
    desk_.at_once_ += has_ ? 1 : 0;
  }
  ~Turn() {
    const std::lock_guard lock(desk_.mutex_);
    desk_.at_once_ -= has_ ? 1 : 0;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  [[nodiscard]] bool has() const { return has_; }

 private:
  ScoreDesk& desk_;
  bool has_ = false;
};

Result<consent::Grant> ScoreDesk::grant_of(const GrantId& id) {
  TRY_ASSIGN(const catalog::Grant record, catalog_.grant(id));
  TRY_ASSIGN(consent::Grant grant, consent::parse_opened(record.grant_bytes, record.opening));
  const std::string name = "consent " + id.text();
  const bool is_over = record.expiry <= site_.system.clock.now();
  if (record.state != catalog::GrantState::kGiven || is_over) {
    forget(id);
    return fail(Code::kRefused, name + " is " +
                                    (is_over ? std::string("over")
                                             : std::string(catalog::state_name(record.state))));
  }
  if (grant.destination != site_.config.name) {
    return fail(Code::kRefused, name + " is for use at site " + grant.destination.text(),
                Reason::kNotHere);
  }
  return grant;
}

Result<ScorePlan> ScoreDesk::plan(const ScoreWish& wish) {
  TRY_ASSIGN(const consent::Grant grant, grant_of(wish.grant));
  return plan_score(wish, grant);
}

// The one that broke off, or a new one.
Result<JobId> ScoreDesk::job_for(const ScoreWish& wish, const ScorePlan& plan) {
  control::RestoreWish restore{.object = plan.grant.object,
                               .grant = wish.grant,
                               .grantee = plan.grant.grantee,
                               .stated = wish.stated,
                               .scope = plan.grant.scope};
  restore.scope.veil.reset();
  restore.scope.chunks.clear();  // share control knows which hold the regions
  restore.sites = plan.sites.size();
  TRY_ASSIGN(const auto broken_off, restore_.go_on(restore));
  if (broken_off) return *broken_off;
  return restore_.begin(restore);
}

Result<> ScoreDesk::note(std::string_view event, const consent::Grant& grant, const GrantId& id,
                         audit::Fields more) {
  TRY_ASSIGN(const catalog::Grant record, catalog_.grant(id));
  TRY_ASSIGN(audit::Fields fields, control::access_fields(site_, catalog_, record, grant.grantee));
  for (auto& field : more) fields.push_back(std::move(field));
  return site_.log.append(event, fields);
}

Result<Kept> ScoreDesk::score(const ScoreWish& wish) {
  const Turn turn(*this);
  if (!turn.has()) return fail(Code::kBusy, "other scores are being computed; try again");
  TRY_ASSIGN(ScorePlan plan, this->plan(wish));
  if (!plan.refusal.empty()) return fail(Code::kRefused, plan.refusal);
  control::SiteReading reading{.places = places_of(plan), .task = {}};
  TRY_ASSIGN(reading.task, pileup_task(plan.sites, wish.rules.genotypes));
  TRY_ASSIGN(const JobId job, job_for(wish, plan));
  TRY_ASSIGN(const auto pileups, restore_.read_sites(job, reading));
  TRY_ASSIGN(const auto counts, counts_of(plan.sites, pileups));
  auto report = risk::score_of(plan.file, counts, wish.rules);
  TRY(note("score_computed", plan.grant, wish.grant,
           {{"job", job.text()},
            {"score", plan.file.header.pgs_id},
            {"sites", std::to_string(plan.sites.size())},
            {"given", report ? "yes" : "no"}}));
  if (!report) return std::unexpected(report.error());
  plan.file.variants.clear();
  report->sites.clear();
  KeptScore kept{std::move(plan.file), std::move(*report), plan.outside, job,
                 site_.system.clock.now()};
  // A risk that was computed with another score is none of this one.
  return keep(wish.grant, [&](Kept& all) {
    all.until = plan.grant.expiry;
    all.score = std::move(kept);
    if (all.risk && all.risk->has_score) all.risk.reset();
  });
}

Result<Kept> ScoreDesk::absolute(const RiskWish& wish) {
  TRY_ASSIGN(const consent::Grant grant, grant_of(wish.grant));
  std::optional<risk::GeneticTerm> genetic;
  if (wish.with_score) {
    TRY_ASSIGN(const Kept before, kept(wish.grant));
    if (!before.score) {
      return fail(Code::kInvalidArgument, "there is no score of this consent; compute it first");
    }
    TRY_ASSIGN(genetic, risk::genetic_term(before.score->report));
  }
  KeptRisk made{.model = wish.model, .result = {}, .has_score = wish.with_score};
  TRY_ASSIGN(made.result,
             risk::absolute_risk(wish.model, wish.answers, wish.from, wish.to, genetic));
  made.when = site_.system.clock.now();
  made.model.phases.clear();
  TRY(note("risk_computed", grant, wish.grant,
           {{"model", wish.model.id}, {"with_score", wish.with_score ? "yes" : "no"}}));
  return keep(wish.grant, [&](Kept& all) {
    all.until = grant.expiry;
    all.risk = std::move(made);
  });
}

Result<Kept> ScoreDesk::kept(const GrantId& grant) {
  TRY_ASSIGN(const consent::Grant terms, grant_of(grant));
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(kept_, grant, &Entry::grant);
  return found == kept_.end() ? Kept{.until = terms.expiry} : found->kept;
}

void ScoreDesk::forget(const GrantId& grant) {
  const std::lock_guard lock(mutex_);
  std::erase_if(kept_, [&](const Entry& one) { return one.grant == grant; });
}

template <typename Change>
Kept ScoreDesk::keep(const GrantId& grant, const Change& change) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(kept_, grant, &Entry::grant);
  Entry entry{grant, found == kept_.end() ? Kept{} : std::move(found->kept)};
  if (found != kept_.end()) kept_.erase(found);
  change(entry.kept);
  if (kept_.size() >= kMostKept) kept_.pop_front();
  kept_.push_back(std::move(entry));
  return kept_.back().kept;
}

}  // namespace warifu::scoring
