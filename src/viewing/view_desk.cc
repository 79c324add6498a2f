// Opening, looking, ending.
#include "viewing/view_desk.h"

#include <algorithm>

#include <boost/json.hpp>

#include "audit/actor.h"
#include "base/limits.h"
#include "base/log.h"
#include "control/region_trim.h"
#include "secret/secret.h"
#include "viewing/reference.h"

namespace warifu::viewing {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::chrono::seconds kSweep{1};
constexpr std::size_t kLoggedRegions = 20;

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

std::string words_of(const htsget::Verdict& verdict, bool header) {
  return header ? "header" : htsget::regions_text(verdict.regions, kLoggedRegions);
}

}  // namespace

// A turn at the processes that cut.
class ViewDesk::Cutting {
 public:
  explicit Cutting(ViewDesk& desk) : desk_(desk) {
    std::unique_lock lock(desk.mutex_);
    has_begun_ =
        desk.cut_ended_.wait_for(lock, kWaitForCut, [&] { return desk.cutting_ < kCutsAtOnce; });
    if (has_begun_) ++desk.cutting_;
  }
  ~Cutting() {
    if (!has_begun_) return;
    {
      const std::lock_guard lock(desk_.mutex_);
      --desk_.cutting_;
    }
    desk_.cut_ended_.notify_one();
  }
  Cutting(const Cutting&) = delete;
  Cutting& operator=(const Cutting&) = delete;
  [[nodiscard]] bool has_begun() const { return has_begun_; }

 private:
  ViewDesk& desk_;
  bool has_begun_ = false;
};

ViewDesk::ViewDesk(control::SiteContext& site, catalog::Catalog& catalog,
                   control::RestoreDesk& restore)
    : site_(site),
      catalog_(catalog),
      restore_(restore),
      budget_(site.config.htsget.memory_bytes, site.config.allow_unlocked_memory) {}

void ViewDesk::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void ViewDesk::stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  std::vector<std::shared_ptr<View>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(views_);
  }
  for (const auto& view : all) close(view, "the site stops");
}

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
    return fail(Code::kRefused, named + " lets shares meet at " + grant.destination.text() +
                                    ", not at " + site_.config.name.text());
  }
  if (plan.record.state != catalog::GrantState::kGiven || grant.expiry.value <= now.value) {
    const auto state =
        grant.expiry.value <= now.value ? catalog::GrantState::kExpired : plan.record.state;
    return fail(Code::kRefused, named + " is " + std::string(catalog::state_name(state)));
  }
  const std::chrono::seconds most = site_.config.htsget.life;
  if (wish.life.count() < 0 || wish.life > most) {
    return fail(Code::kInvalidArgument, "a view may stay open for " +
                                            std::to_string(most.count() / 60) +
                                            " minutes at most here ([htsget] life)");
  }
  const std::chrono::milliseconds life = wish.life.count() == 0 ? most : wish.life;
  const std::uint64_t chunks = consent::chunk_count(grant.scope.chunks) * limits::kChunkBytes;
  if (chunks > budget_.bytes() - std::min(budget_.bytes(), budget_.used())) {
    return fail(Code::kNoSpace, "the view needs more than " + std::to_string(chunks) +
                                    " bytes; views may take " + std::to_string(budget_.bytes()) +
                                    " together ([htsget] memory), and " +
                                    std::to_string(budget_.used()) + " are taken");
  }
  TRY_ASSIGN(auto grants, grants_of(plan.record, grant));
  plan.terms = {.id = os::random_id<ViewId>(site_.system.random),
                .object = grant.object,
                .grants = std::move(grants),
                .grantee = consent::grantee_words(wish.grantee, consent::Locale::kEnglish),
                .scope = std::move(scope),
                .mode = wish.mode,
                .opened_by = audit::ActingOperator::current(),
                .job = {},
                .opened = now,
                .expires = std::min(grant.expiry, os::UnixMs{now.value + life.count()})};
  return plan;
}

Result<Records::Source> ViewDesk::restore(const ViewWish& wish, Plan& plan) {
  TRY_ASSIGN(plan.terms.job, restore_.begin({.object = plan.terms.object,
                                             .grant = wish.grant,
                                             .using_letters = {},
                                             .gather = {},
                                             .purpose = wish.purpose,
                                             .grantee = wish.grantee,
                                             .stated = wish.stated,
                                             .scope = plan.terms.scope,
                                             .format = std::string(control::kViewFormat)}));
  Records::Source source;
  TRY_ASSIGN(source.file, HeldFile::make(budget_));
  TRY(restore_.stream(plan.terms.job, 0, [&](ByteView bytes) -> Result<> {
    if (stopping_) return fail(Code::kCancelled, "the site is stopping");
    return source.file.append(bytes);
  }));
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
      return fail(Code::kBusy, std::to_string(views_.size() + opening_) +
                                   " views are open, as many as the site keeps ([htsget] views): "
                                   "end one (warifu view end)");
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
  TRY(site_.log.append("view_opened", {{"view", plan.terms.id.text()},
                                       {"grant", wish.grant.text()},
                                       {"object", plan.terms.object.text()},
                                       {"job", plan.terms.job.text()},
                                       {"grantee", plan.terms.grantee},
                                       {"scope", consent::scope_text(plan.terms.scope)},
                                       {"mode", std::string(htsget::mode_name(plan.terms.mode))},
                                       {"expires", os::utc_text(plan.terms.expires)},
                                       {"records", std::to_string(opened.status.records)}}));
  const std::lock_guard lock(mutex_);
  if (stopping_) return fail(Code::kCancelled, "the site is stopping");
  views_.push_back(view);
  return opened;
}

ViewStatus ViewDesk::status_of(View& view) {
  return {.terms = view.terms(),
          .datatype = view.records().datatype(),
          .records = view.records().records(),
          .bytes = view.records().bytes(),
          .requests = view.requests(),
          .bytes_given = view.bytes_given()};
}

std::vector<ViewStatus> ViewDesk::list() {
  const std::lock_guard lock(mutex_);
  std::vector<ViewStatus> list;
  for (const auto& view : views_) list.push_back(status_of(*view));
  return list;
}

Result<std::string> ViewDesk::reference(const ViewId& id) {
  std::shared_ptr<View> view;
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find_if(views_, [&](const auto& one) { return one->terms().id == id; });
    if (found == views_.end()) return fail(Code::kNotFound, "there is no view " + id.text());
    view = *found;
  }
  const auto& references = site_.config.reference_files;
  const auto fasta = references.find(view->terms().scope.assembly);
  return reference_text(site_.system.files,
                        fasta == references.end() ? std::string() : fasta->second,
                        view->records().consented());
}

Result<ViewStatus> ViewDesk::end(const ViewId& id) {
  std::shared_ptr<View> view;
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find_if(views_, [&](const auto& one) { return one->terms().id == id; });
    if (found == views_.end()) return fail(Code::kNotFound, "there is no view " + id.text());
    view = std::move(*found);
    views_.erase(found);
  }
  ViewStatus status = status_of(*view);
  close(view, "it was ended");
  return status;
}

// It is out of the list already. The end itself needs no leave of the log.
void ViewDesk::close(const std::shared_ptr<View>& view, const std::string& why) {
  view->end();
  const auto logged =
      site_.log.append("view_ended", {{"view", view->terms().id.text()},
                                      {"grant", view->terms().grants[0].text()},
                                      {"why", why},
                                      {"requests", std::to_string(view->requests())},
                                      {"bytes", std::to_string(view->bytes_given())}});
  if (!logged) log_error("the end of a view is not in the log: " + logged.error().message);
}

std::string ViewDesk::why_end(const View& view, os::UnixMs now) {
  if (now.value >= view.terms().expires.value) return "its time is over";
  for (const GrantId& id : view.terms().grants) {
    const auto grant = catalog_.grant(id);
    if (!grant) return "its consent cannot be read";
    if (grant->state == catalog::GrantState::kWithdrawn) return "the consent was withdrawn";
  }
  return {};
}

void ViewDesk::sweep() {
  std::vector<std::shared_ptr<View>> all;
  {
    const std::lock_guard lock(mutex_);
    all = views_;
  }
  const os::UnixMs now = site_.system.clock.now();
  for (const auto& view : all) {
    const std::string why = why_end(*view, now);
    if (why.empty()) continue;
    {
      const std::lock_guard lock(mutex_);
      if (std::erase(views_, view) == 0) continue;  // somebody else has ended it
    }
    close(view, why);
  }
}

void ViewDesk::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    changed_.wait_for(lock, stop, kSweep, [] { return false; });
    if (stop.stop_requested()) return;
    lock.unlock();
    sweep();
    lock.lock();
  }
}

void ViewDesk::note_refusal() {
  {
    const std::lock_guard lock(mutex_);
    const auto now = site_.system.clock.monotonic();
    if (refusals_ == 0 || now - hour_ >= std::chrono::hours(1)) {
      hour_ = now;
      refusals_ = 0;
    }
    if (++refusals_ > kRefusalsAnHour) return;
  }
  if (const auto noted = site_.log.append("view_refused", {{"why", "unknown_token"}}); !noted) {
    log_error("a refusal is not in the log: " + noted.error().message);
  }
}

htsget::Answer<std::shared_ptr<View>> ViewDesk::find(std::string_view token,
                                                     htsget::Datatype datatype,
                                                     std::string_view object) {
  using htsget::Kind;
  const crypto::Digest digest = crypto::sha256(as_bytes(token));
  std::shared_ptr<View> view;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : views_) {
      if (one->has_token(digest)) view = one;
    }
  }
  if (view == nullptr || !why_end(*view, site_.system.clock.now()).empty()) {
    note_refusal();
    return htsget::refuse(Kind::kInvalidAuthentication,
                          "the token opens no view: it is wrong, or the view has ended");
  }
  if (view->terms().object.text() != object || view->records().datatype() != datatype) {
    return htsget::refuse(Kind::kNotFound, "there is no such object under this token");
  }
  return view;
}

htsget::Answer<bool> ViewDesk::note(const View& view, std::string_view event,
                                    audit::Fields fields) {
  audit::Fields all = {{"view", view.terms().id.text()},
                       {"grant", view.terms().grants.front().text()},
                       {"grantee", view.terms().grantee}};
  for (auto& field : fields) all.push_back(std::move(field));
  const auto logged = site_.log.append(event, all);
  if (!logged) {
    log_error("nothing is given, as it cannot be logged: " + logged.error().message);
    return htsget::refuse(htsget::Kind::kUnavailable,
                          "the site's log cannot be written, so nothing is given");
  }
  return true;
}

// Counted, judged, and in the log either way.
htsget::Answer<htsget::Verdict> ViewDesk::judged(View& view, const htsget::Request& request) {
  if (auto counted = view.count(site_.system.clock.monotonic()); !counted) {
    return std::unexpected(counted.error());
  }
  auto verdict = htsget::judge(request, view.records().consented(), view.terms().mode);
  if (verdict) return verdict;
  auto noted =
      note(view, "view_refused", {{"why", std::string(htsget::kind_name(verdict.error().kind))}});
  if (!noted) return std::unexpected(noted.error());
  return verdict;
}

htsget::Answer<bool> ViewDesk::ask(View& view, const htsget::Request& request) {
  const auto verdict = judged(view, request);
  if (!verdict) return std::unexpected(verdict.error());
  const auto noted = note(view, "view_asked",
                          {{"format", std::string(htsget::format_name(request.format))},
                           {"regions", words_of(*verdict, request.header_only)},
                           {"clipped", verdict->clipped ? "yes" : "no"}});
  if (!noted) return noted;
  return verdict->clipped;
}

Result<> ViewDesk::make(Given& given, const htsget::DataRequest& wanted,
                        const std::vector<genome::NamedRegion>& regions) {
  Records& records = given.view->records();
  if (wanted.part == htsget::Part::kHeader) {
    TRY_ASSIGN(given.head, records.header(wanted.request.format));
    return {};
  }
  TRY_ASSIGN(given.piece, records.body(wanted.request, regions));
  return {};
}

htsget::Answer<Given> ViewDesk::give(const std::shared_ptr<View>& view,
                                     const htsget::DataRequest& wanted) {
  const auto verdict = judged(*view, wanted.request);
  if (!verdict) return std::unexpected(verdict.error());
  const Cutting turn(*this);
  if (!turn.has_begun()) {
    return htsget::refuse(htsget::Kind::kUnavailable, "the site is busy; ask again in a moment");
  }
  Given given{.view = view, .head = {}, .piece = {}, .clipped = verdict->clipped};
  const Result<> made = make(given, wanted, verdict->regions);
  if (!made) {
    log_warning("view " + view->terms().id.text() + ": " + made.error().message);
    return std::unexpected(htsget::failure_of(made.error()));
  }
  const auto noted = note(*view, "view_given",
                          {{"format", std::string(htsget::format_name(wanted.request.format))},
                           {"regions", words_of(*verdict, wanted.part == htsget::Part::kHeader)},
                           {"clipped", verdict->clipped ? "yes" : "no"},
                           {"records", std::to_string(given.piece.records)},
                           {"bytes", std::to_string(given.bytes().size())}});
  if (!noted) return std::unexpected(noted.error());
  if (view->has_ended() || !why_end(*view, site_.system.clock.now()).empty()) {
    return htsget::refuse(htsget::Kind::kInvalidAuthentication, "the view has ended");
  }
  view->given(given.bytes().size());
  return given;
}

}  // namespace warifu::viewing
