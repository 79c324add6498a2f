// Scores and risks at a site, under a person's consent: what the pages of clinicians and
// researchers ask for (docs/risk.md, ADR 0050).
//
// A score takes one use of the consent. Only chunks that hold its sites are brought together, they
// are read by the sandboxed process, and of what that tells – bases at single sites – the score
// remains: genotypes are forgotten before anybody is answered. What would be refused for too few
// sites is refused before a use is taken, as far as that can be known.
//
// Results are kept in memory and nowhere else, by consent, until they are forgotten by order, the consent has ended
// or was withdrawn (noticed when somebody asks for them), or the site stops; at most kMostKept, the
// oldest go first. Any thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "control/restore_desk.h"
#include "risk/absolute.h"
#include "scoring/genome_counts.h"

namespace warifu::scoring {

inline constexpr std::size_t kMostAtOnce = 2;  // scores that are being computed
inline constexpr std::size_t kMostKept = 64;
// Under a consent to the whole: each is looked up in the index by itself.
inline constexpr std::size_t kMostPlaces = 5'000;

struct ScoreWish {
  GrantId grant;
  ByteView file;                          // of scores, plain or gzip
  std::optional<risk::Assembly> assumed;  // where the file does not say it
  risk::ScoreRules rules;
  consent::Statements stated;  // what the use will be
};

// What a score would take, before a use of the consent is.
struct ScorePlan {
  risk::ScoringFile file;
  std::vector<risk::Site> sites;  // that may be read under the consent
  std::size_t outside = 0;        // that lie beside its regions
  std::size_t usable = 0;         // variants of the file that could count, at best
  consent::Grant grant;
  // Why it would be refused, whatever the reads say; empty when it may be tried.
  std::string refusal;
};
// Pure. Errors: those of the scoring file; kInvalidArgument for another assembly.
[[nodiscard]] Result<ScorePlan> plan_score(const ScoreWish& wish, const consent::Grant& grant);

struct KeptScore {
  risk::ScoringFile file;    // without its variants
  risk::ScoreReport report;  // without its sites
  std::size_t outside = 0;
  JobId job;
  os::UnixMs when;
};
struct KeptRisk {
  risk::RiskModel model;  // its texts; without terms and reference
  risk::AbsoluteRisk result;
  bool has_score = false;
  os::UnixMs when;
};
struct Kept {
  std::optional<KeptScore> score;
  std::optional<KeptRisk> risk;
  os::UnixMs until;  // the consent's end: at the latest; earlier when the site stops
};

struct RiskWish {
  GrantId grant;
  const risk::RiskModel& model;
  risk::Answers answers;
  int from = 0, to = 0;
  bool with_score = false;  // the one that is kept
};

class ScoreDesk {
 public:
  ScoreDesk(control::SiteContext& site, catalog::Catalog& catalog, control::RestoreDesk& restore)
      : site_(site), catalog_(catalog), restore_(restore) {}

  // Errors of all: kNotFound; kRefused when the consent is not in force or is for another site.
  [[nodiscard]] Result<ScorePlan> plan(const ScoreWish& wish);
  // Takes a use. Errors: kRefused also for too few confident genotypes, kBusy; those of a restore.
  [[nodiscard]] Result<Kept> score(const ScoreWish& wish);
  // Errors: kInvalidArgument naming an answer, an age, a missing score.
  [[nodiscard]] Result<Kept> absolute(const RiskWish& wish);
  // Empty when there is nothing.
  [[nodiscard]] Result<Kept> kept(const GrantId& grant);
  void forget(const GrantId& grant);

 private:
  class Turn;
  struct Entry {
    GrantId grant;
    Kept kept;
  };
  // A consent in force, to data for this site.
  Result<consent::Grant> grant_of(const GrantId& id);
  Result<JobId> job_for(const ScoreWish& wish, const ScorePlan& plan);
  // A line in the log, which the person finds among the accesses to their data.
  Result<> note(std::string_view event, const consent::Grant& grant, const GrantId& id,
                audit::Fields more);
  template <typename Change>
  Kept keep(const GrantId& grant, const Change& change);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  control::RestoreDesk& restore_;
  std::mutex mutex_;
  std::size_t at_once_ = 0;
  std::list<Entry> kept_;  // the newest last
};

}  // namespace warifu::scoring
