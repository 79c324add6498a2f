// Opening a view: what it would take, one use, the records.
#include <algorithm>

#include <boost/json.hpp>

#include "audit/actor.h"
#include "base/reason.h"
#include "base/units.h"
#include "consent/veil.h"
#include "control/access_line.h"
#include "control/region_trim.h"
#include "secret/secret.h"
#include "viewing/room.h"
#include "viewing/view_desk.h"

namespace warifu::viewing {
namespace {

constexpr std::size_t kTokenBytes = 32;

std::uint64_t records_of(const catalog::Job& job) {
  boost::json::error_code bad;
  const auto result = boost::json::parse(job.result, bad);
  if (bad || !result.is_object()) return 0;
  const auto* records = result.get_object().if_contains("records");
  return records == nullptr ? 0 : records->to_number<std::uint64_t>();
}

std::vector<genome::NamedRegion> named(const consent::Scope& scope) {
  std::vector<genome::NamedRegion> regions;
  for (const consent::Region& region : scope.regions) {
    regions.push_back({region.reference, std::int64_t{region.start} - 1, region.end});
  }
  return regions;
}

// What became of the use, where there was no room.
Result<> with_hint(Result<> done, const char* hint) {
  if (done || done.error().code != Code::kNoSpace) return done;
  return fail(Code::kNoSpace, done.error().message + hint, done.error().reason);
}

}  // namespace

// A consent of several guardians or officers ends with any of its grants.
Result<std::vector<GrantId>> ViewDesk::grants_of(const catalog::Grant& record,
                                                 const consent::Grant& grant) {
  std::vector<GrantId> ids = {record.grant};
  if (grant.together == 1) return ids;
  TRY_ASSIGN(const auto given,
             catalog_.list_grants(
                 {.person_id = {}, .object = record.object, .state = catalog::GrantState::kGiven},
                 {.count = catalog::kMaxPageRows}));
  for (const catalog::Grant& one : given) {
    const auto other = consent::parse_grant(one.grant_bytes);
    if (one.grant != record.grant && other && consent::same_terms(*other, grant)) {
      ids.push_back(one.grant);
    }
  }
  return ids;
}

Result<ViewDesk::Plan> ViewDesk::plan_of(const ViewWish& wish) {
  Plan plan;
  TRY_ASSIGN(plan.record, catalog_.grant(wish.grant));
  TRY_ASSIGN(plan.grant, consent::parse_opened(plan.record.grant_bytes, plan.record.opening));
  const consent::Grant& grant = plan.grant;
  const os::UnixMs now = site_.system.clock.now();
  const std::string named = "consent " + wish.grant.text();
  if (consent::act_of(grant) != consent::Act::kUse || grant.scope.is_index()) {
    return fail(Code::kInvalidArgument, named + " is not for regions: a view shows regions");
  }
  consent::Scope scope = wish.scope;
  if (scope.regions.empty()) scope = {grant.scope.assembly, grant.scope.regions, {}};
  if (scope.regions.empty()) {
    return fail(Code::kInvalidArgument,
                named + " is for the whole object: say which regions of it the view is to show");
  }
  if (grant.destination != site_.config.name) {
    return fail(Code::kRefused,
                named + " lets shares meet at " + grant.destination.text() + ", not at " +
                    site_.config.name.text(),
                Reason::kNotHere);
  }
  if (plan.record.state != catalog::GrantState::kGiven || grant.expiry.value <= now.value) {
    const auto state =
        grant.expiry.value <= now.value ? catalog::GrantState::kExpired : plan.record.state;
    return fail(Code::kRefused, named + " is " + std::string(catalog::state_name(state)),
                catalog::reason_of(state));
  }
  const std::chrono::seconds most = site_.config.htsget.life;
  if (wish.life.count() < 0 || wish.life > most) {
    return fail(Code::kInvalidArgument, "a view may stay open for " +
                                            std::to_string(most.count() / 60) +
                                            " minutes at most here ([htsget] life)");
  }
  const std::chrono::milliseconds life = wish.life.count() == 0 ? most : wish.life;
  TRY_ASSIGN(auto grants, grants_of(plan.record, grant));
  TRY_ASSIGN(auto about,
             control::access_fields(site_, catalog_, plan.record, wish.grantee, wish.purpose));
  plan.terms = {.id = os::random_id<ViewId>(site_.system.random),
                .object = grant.object,
                .grants = std::move(grants),
                .grantee = consent::grantee_words(wish.grantee, consent::Locale::kEnglish),
                .scope = std::move(scope),
                .mode = wish.mode,
                .about = std::move(about),
                .opened_by = audit::ActingOperator::current(),
                .job = {},
                .opened = now,
                .expires = std::min(grant.expiry, os::UnixMs{now.value + life.count()})};
  return plan;
}

// Memory for all that the regions may become is taken before they are read.
Result<> ViewDesk::make_room(Records::Source& source, const control::RegionReading& reading) {
  prepared_.clear();
  const std::uint64_t records = records_bound(reading.kind, reading.bytes);
  const std::uint64_t need = records + kBesideRecords;
  const std::uint64_t used = std::min(budget_.used(), budget_.bytes());
  if (need <= budget_.bytes() - used) {
    TRY(source.file.reserve(records));
    return source.index.reserve(kBesideRecords);
  }
  return fail(Code::kNoSpace,
              "the view may need " + human_bytes(need) + " of locked memory (its regions are " +
                  human_bytes(reading.bytes) + " of the file); views may take " +
                  human_bytes(budget_.bytes()) + " together, of which " + human_bytes(used) +
                  " are taken: end another view (warifu view end), ask for fewer regions, or set " +
                  "[htsget] memory of this site to " + std::to_string(((used + need) >> 20U) + 1) +
                  "M at least");
}

Result<Records::Source> ViewDesk::restore(const ViewWish& wish, Plan& plan) {
  const control::RestoreWish what{.object = plan.terms.object,
                                  .grant = wish.grant,
                                  .using_letters = {},
                                  .gather = {},
                                  .purpose = wish.purpose,
                                  .grantee = wish.grantee,
                                  .stated = wish.stated,
                                  .scope = plan.terms.scope,
                                  .format = std::string(control::kViewFormat)};
  Records::Source source;
  TRY_ASSIGN(source.file, HeldFile::make(budget_));
  TRY_ASSIGN(source.index, HeldFile::make(budget_));
  TRY_ASSIGN(const auto reading, restore_.reading_of(what));
  if (reading) {
    TRY(with_hint(make_room(source, *reading), "; no use of the consent was taken"));
  }
  TRY_ASSIGN(const auto broken_off, restore_.go_on(what));
  if (broken_off) {
    plan.terms.job = *broken_off;
  } else {
    TRY_ASSIGN(plan.terms.job, restore_.begin(what));
  }
  const auto sink = [&](ByteView bytes) -> Result<> {
    if (stopping_) return fail(Code::kCancelled, "the site is stopping");
    return with_hint(source.file.append(bytes),
                     "; the use is kept: the same view, opened again, goes on under it");
  };
  const auto check = [&](const control::RegionReading& found) -> Result<> {
    return with_hint(make_room(source, found),
                     "; the use under which the index was read is kept: a view of any regions that "
                     "is opened now goes on under it");
  };
  TRY(restore_.stream(plan.terms.job, 0, sink, check));
  TRY(source.file.seal());
  TRY_ASSIGN(const catalog::Job job, catalog_.job(plan.terms.job));
  source.records = records_of(job);
  source.regions = named(plan.terms.scope);
  const auto& references = site_.config.reference_files;
  const auto reference = references.find(plan.terms.scope.assembly);
  if (reference != references.end()) source.reference = reference->second;
  return source;
}

Result<OpenedView> ViewDesk::open(const ViewWish& wish) {
  auto opened = try_open(wish);
  ++(opened ? opened_ : not_opened_);
  return opened;
}

Result<OpenedView> ViewDesk::try_open(const ViewWish& wish) {
  // A place among the views is kept while the restore runs.
  struct Opening {
    ViewDesk& desk;
    ~Opening() {
      const std::lock_guard lock(desk.mutex_);
      --desk.opening_;
    }
  };
  {
    const std::lock_guard lock(mutex_);
    if (views_.size() + opening_ >= site_.config.htsget.most_views) {
      return fail(Code::kBusy,
                  std::to_string(views_.size() + opening_) +
                      " views are open, as many as the site keeps ([htsget] views): "
                      "end one (warifu view end)",
                  Reason::kViewsFull);
    }
    ++opening_;
  }
  const Opening opening{*this};
  TRY_ASSIGN(Plan plan, plan_of(wish));
  TRY_ASSIGN(Records::Source source, restore(wish, plan));
  TRY_ASSIGN(auto records, Records::make(std::move(source), budget_, stopping_));
  std::array<Byte, kTokenBytes> random{};
  site_.system.random.fill(random);
  OpenedView opened{.status = {}, .token = to_hex(random)};
  secret::wipe(random);
  const auto view = std::make_shared<View>(plan.terms, crypto::sha256(as_bytes(opened.token)),
                                           std::move(records));
  opened.status = status_of(*view);
  audit::Fields fields = plan.terms.about;
  fields.emplace_back("view", plan.terms.id.text());
  fields.emplace_back("job", plan.terms.job.text());
  fields.emplace_back("scope", consent::scope_text(plan.terms.scope));
  fields.emplace_back("mode", htsget::mode_name(plan.terms.mode));
  fields.emplace_back("expires", os::utc_text(plan.terms.expires));
  fields.emplace_back("records", std::to_string(opened.status.records));
  TRY(site_.log.append("view_opened", fields));
  const std::lock_guard lock(mutex_);
  if (stopping_) return fail(Code::kCancelled, "the site is stopping");
  views_.push_back(view);
  return opened;
}

}  // namespace warifu::viewing
