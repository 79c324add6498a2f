// Which views are open, and their ends.
#include "viewing/view_desk.h"

#include <algorithm>

#include "base/log.h"
#include "viewing/reference.h"

namespace warifu::viewing {
namespace {

constexpr std::chrono::seconds kSweep{1};

}  // namespace

ViewDesk::ViewDesk(control::SiteContext& site, catalog::Catalog& catalog,
                   control::RestoreDesk& restore)
    : site_(site),
      catalog_(catalog),
      restore_(restore),
      budget_(site.config.htsget.memory_bytes, site.config.allow_unlocked_memory),
      prepared_(budget_) {}

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

ViewStatus ViewDesk::status_of(View& view) {
  return {.terms = view.terms(),
          .datatype = view.records().datatype(),
          .records = view.records().records(),
          .bytes = view.records().bytes(),
          .requests = view.requests(),
          .answers_given = view.answers_given(),
          .bytes_given = view.bytes_given()};
}

std::vector<ViewStatus> ViewDesk::list() {
  const std::lock_guard lock(mutex_);
  std::vector<ViewStatus> list;
  for (const auto& view : views_) list.push_back(status_of(*view));
  return list;
}

ViewFigures ViewDesk::figures() {
  ViewFigures figures{.opened = opened_,
                      .not_opened = not_opened_,
                      .memory_bytes = budget_.bytes(),
                      .memory_used = budget_.used(),
                      .traffic = traffic_.counts()};
  const std::lock_guard lock(mutex_);
  figures.open = views_.size();
  return figures;
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
  prepared_.forget(view->terms().id);
  audit::Fields fields = view->terms().about;
  fields.emplace_back("view", view->terms().id.text());
  fields.emplace_back("opened", os::utc_text(view->terms().opened));
  fields.emplace_back("why", why);
  fields.emplace_back("requests", std::to_string(view->requests()));
  fields.emplace_back("answers", std::to_string(view->answers_given()));
  fields.emplace_back("bytes", std::to_string(view->bytes_given()));
  const auto logged = site_.log.append("view_ended", fields);
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
  prepared_.forget_old(site_.system.clock.monotonic());
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

}  // namespace warifu::viewing
