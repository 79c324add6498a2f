// Watching, telling, remembering.
#include "api/event_hub.h"

#include <charconv>

#include "web/sessions.h"

namespace warifu::api {
namespace {

constexpr std::array<const char*, 6> kNames = {"site", "sites", "edges", "links", "alerts", "jobs"};
constexpr std::chrono::milliseconds kTick(400);
constexpr std::chrono::milliseconds kQuiet(5'000);  // while nobody follows
constexpr std::chrono::seconds kCount(20);          // shares are counted anew
constexpr std::size_t kRecentEvents = 512;
constexpr std::size_t kRecentBytes = 2 * 1024 * 1024;
constexpr std::size_t kEpochBytes = 6;

}  // namespace

void EventHub::start() {
  Bytes random(kEpochBytes);
  services_.site.system.random.fill(random);
  epoch_ = to_hex(random);
  watcher_ = std::thread([this] { watch(); });
  const bool looks = services_.control != nullptr && look_.count() > 0;
  if (looks) looker_ = std::thread([this] { look_around(); });
}

void EventHub::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const Follower& one : followers_) one.feed->close();
    for (const Waiting& one : waiting_) one.follower.feed->close();
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  if (looker_.joinable()) looker_.join();
}

void EventHub::follow(Follower follower, std::string_view last) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(follower), std::string(last)});
  }
  wake_.notify_all();
}

std::size_t EventHub::followers() const {
  const std::lock_guard lock(mutex_);
  return followers_.size() + waiting_.size();
}

std::vector<LinkMoment> EventHub::history(const SiteName& peer) const {
  const std::lock_guard lock(mutex_);
  const auto found = history_.find(peer);
  if (found == history_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

std::string EventHub::event_text(Topic topic, std::uint64_t number, const std::string& data) const {
  return "id: " + epoch_ + "-" + std::to_string(number) + "\nevent: " + kNames[topic] +
         "\ndata: " + data + "\n\n";
}

// Of an id of this process.
std::optional<std::uint64_t> EventHub::number_of(std::string_view id) const {
  if (!id.starts_with(epoch_ + "-")) return std::nullopt;
  id.remove_prefix(epoch_.size() + 1);
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (problem != std::errc() || end != id.data() + id.size() || number > number_) {
    return std::nullopt;
  }
  return number;
}

std::array<EventTable::Rows, EventHub::kTopics> EventHub::look_at_site(const NetworkLook& seen) {
  const auto now = services_.site.system.clock.monotonic();
  if (!counted_at_ || now - *counted_at_ >= kCount) {
    holdings_ = count_holdings(services_);
    counted_at_ = now;
  }
  return {site_rows(services_, holdings_),        network_site_rows(services_, seen),
          network_link_rows(services_, seen),     link_rows(services_),
          alert_rows(services_, seen, holdings_), job_rows(services_)};
}

void EventHub::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const bool followed = !followers_.empty() || !waiting_.empty();
    const NetworkLook seen = seen_;
    lock.unlock();
    const auto now = services_.site.system.clock.monotonic();
    std::array<EventTable::Rows, kTopics> rows;
    if (followed) rows = look_at_site(seen);
    lock.lock();
    keep_history(now);
    if (followed) tell(std::move(rows));
    leave_out_gone();
    const auto next = followed ? kTick : kQuiet;
    (void)wake_.wait_for(lock, next, [this] { return stopping_ || !waiting_.empty(); });
  }
}

// New events to those who follow, whole tables or what they missed to those who come.
void EventHub::tell(std::array<EventTable::Rows, kTopics> rows) {
  bool said = false;
  for (std::size_t i = 0; i < kTopics; ++i) {
    const auto topic = static_cast<Topic>(i);
    const std::string change = tables_[i].take(std::move(rows[i]));
    if (change.empty()) continue;
    said = true;
    recent_.push_back({++number_, topic, event_text(topic, number_, change)});
    recent_bytes_ += recent_.back().text.size();
    for (const Follower& one : followers_) {
      if (topic != kJobs || one.sees_jobs) (void)one.feed->push(recent_.back().text);
    }
  }
  while (recent_.size() > kRecentEvents || recent_bytes_ > kRecentBytes) {
    recent_bytes_ -= recent_.front().text.size();
    recent_.pop_front();
  }
  if (!said) {  // a comment: the connection lives
    for (const Follower& one : followers_) (void)one.feed->push(": beat\n\n");
  }
  for (const Waiting& one : waiting_) welcome(one);
  waiting_.clear();
}

void EventHub::welcome(const Waiting& waiting) {
  const Follower& follower = waiting.follower;
  const auto last = number_of(waiting.last);
  const std::uint64_t first_kept = recent_.empty() ? number_ + 1 : recent_.front().number;
  std::string text = "retry: 1000\n\n";
  if (last && *last + 1 >= first_kept) {
    for (const Event& event : recent_) {
      if (event.number <= *last || (event.topic == kJobs && !follower.sees_jobs)) continue;
      text += event.text;
    }
  } else {
    for (std::size_t i = 0; i < kTopics; ++i) {
      const auto topic = static_cast<Topic>(i);
      if (topic == kJobs && !follower.sees_jobs) continue;
      text += event_text(topic, number_, tables_[i].whole());
    }
  }
  if (follower.feed->push(text)) followers_.push_back(follower);
}

void EventHub::leave_out_gone() {
  std::erase_if(followers_, [&](const Follower& one) {
    if (one.feed->closed()) return true;
    if (one.session.empty() || sessions_ == nullptr || sessions_->lives(one.session)) return false;
    one.feed->close();
    return true;
  });
}

void EventHub::keep_history(std::chrono::nanoseconds now) {
  const auto step = history_points_ < kFirstPoints ? kFirstStep : kHistoryStep;
  if (history_points_ != 0 && now - history_at_ < step) return;
  history_at_ = now;
  ++history_points_;
  const os::UnixMs time = services_.site.system.clock.now();
  for (kme::Link* link : services_.site.keys.links()) {
    const kme::LinkReport report = link->report();
    auto& moments = history_[link->peer()];
    moments.push_back({time, report.send.residual_bytes, report.receive.available_bytes,
                       report.send.inflow_bits_per_second, report.send.outflow_bits_per_second});
    if (moments.size() > kHistoryPoints) moments.pop_front();
  }
}

void EventHub::look_around() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (followers_.empty() && waiting_.empty()) {
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      continue;
    }
    lock.unlock();
    control::NetworkView view = control::look_at_network(services_.site, services_.shares);
    lock.lock();
    seen_ = {std::move(view), services_.site.system.clock.now()};
    (void)wake_.wait_for(lock, look_, [this] { return stopping_; });
  }
}

}  // namespace warifu::api
