// Looking: who asks, what may be given, and the log before it is.
#include <algorithm>

#include "base/log.h"
#include "crypto/running_digest.h"
#include "viewing/view_desk.h"

namespace warifu::viewing {
namespace {

constexpr std::size_t kLoggedRegions = 20;

// "" where OpenSSL has no MD5: a ticket may do without.
std::string md5_of(std::initializer_list<ByteView> parts) {
  auto digest = crypto::RunningDigest::md5();
  if (!digest) return {};
  for (const ByteView part : parts) digest->add(part);
  return digest->finish();
}

std::string words_of(const htsget::Verdict& verdict, bool header) {
  return header ? "header" : htsget::regions_text(verdict.regions, kLoggedRegions);
}

}  // namespace

// A turn at the processes that cut.
class ViewDesk::Cutting {
 public:
  Cutting(ViewDesk& desk, std::chrono::seconds wait) : desk_(desk) {
    std::unique_lock lock(desk.mutex_);
    has_begun_ = desk.cut_ended_.wait_for(lock, wait, [&] { return desk.cutting_ < kCutsAtOnce; });
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

htsget::Answer<Offer> ViewDesk::ask(View& view, const htsget::Request& request) {
  const auto verdict = judged(view, request);
  if (!verdict) return std::unexpected(verdict.error());
  const auto noted = note(view, "view_asked",
                          {{"format", std::string(htsget::format_name(request.format))},
                           {"regions", words_of(*verdict, request.header_only)},
                           {"clipped", verdict->clipped ? "yes" : "no"}});
  if (!noted) return std::unexpected(noted.error());
  return Offer{.clipped = verdict->clipped, .md5 = prepare(view, request, verdict->regions)};
}

// Nothing where it would cost more than making it when it is fetched; what fails fails again then,
// and is told then.
std::string ViewDesk::prepare(View& view, const htsget::Request& request,
                              const std::vector<genome::NamedRegion>& regions) {
  const Cutting turn(*this, std::chrono::seconds(0));
  if (!turn.has_begun()) return {};
  Records& records = view.records();
  const auto head = records.header(request.format);
  if (!head) return {};
  if (request.header_only) return md5_of({*head});
  const auto size = records.bytes_of(regions);
  if (!size || !prepared_.is_small(*size)) return {};
  auto piece = records.body(request, regions);
  if (!piece) return {};
  const auto answer = std::make_shared<const Piece>(std::move(*piece));
  prepared_.keep(view.terms().id, request, answer, site_.system.clock.monotonic());
  if (view.has_ended()) prepared_.forget(view.terms().id);
  return md5_of({*head, answer->file.bytes()});
}

Result<> ViewDesk::make(Given& given, const htsget::DataRequest& wanted,
                        const std::vector<genome::NamedRegion>& regions) {
  Records& records = given.view->records();
  if (wanted.part == htsget::Part::kHeader) {
    TRY_ASSIGN(given.head, records.header(wanted.request.format));
    return {};
  }
  given.piece = prepared_.take(given.view->terms().id, wanted.request);
  if (given.piece != nullptr) return {};
  TRY_ASSIGN(Piece piece, records.body(wanted.request, regions));
  given.piece = std::make_shared<const Piece>(std::move(piece));
  return {};
}

htsget::Answer<Given> ViewDesk::give(const std::shared_ptr<View>& view,
                                     const htsget::DataRequest& wanted) {
  const auto verdict = judged(*view, wanted.request);
  if (!verdict) return std::unexpected(verdict.error());
  const Cutting turn(*this, kWaitForCut);
  if (!turn.has_begun()) {
    return htsget::refuse(htsget::Kind::kUnavailable, "the site is busy; ask again in a moment");
  }
  Given given{.view = view, .head = {}, .piece = {}, .clipped = verdict->clipped};
  const Result<> made = make(given, wanted, verdict->regions);
  if (!made) {
    log_warning("view " + view->terms().id.text() + ": " + made.error().message);
    return std::unexpected(htsget::failure_of(made.error()));
  }
  const auto noted =
      note(*view, "view_given",
           {{"format", std::string(htsget::format_name(wanted.request.format))},
            {"regions", words_of(*verdict, wanted.part == htsget::Part::kHeader)},
            {"clipped", verdict->clipped ? "yes" : "no"},
            {"records", std::to_string(given.piece == nullptr ? 0 : given.piece->records)},
            {"bytes", std::to_string(given.bytes().size())}});
  if (!noted) return std::unexpected(noted.error());
  if (view->has_ended() || !why_end(*view, site_.system.clock.now()).empty()) {
    return htsget::refuse(htsget::Kind::kInvalidAuthentication, "the view has ended");
  }
  view->given(given.bytes().size(), wanted.part == htsget::Part::kBody);
  return given;
}

}  // namespace warifu::viewing
