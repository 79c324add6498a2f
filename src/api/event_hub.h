// Tells everybody who follows a site what changes there, as server-sent events.
//
// One thread looks at the site every 0.4 s while somebody follows, and now and then for the
// history otherwise; another one looks at the whole network, which costs key, only while somebody
// follows at the control site. What changed goes to all feeds, numbered; the last events are kept,
// so that a client that lost its connection for a moment goes on where it was (Last-Event-ID), and
// everybody else gets whole tables. Who may not see jobs does not get them.
//
// Ownership: everything in `services` must outlive it. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "api/event_rows.h"
#include "http/feed.h"
#include "operators/roles.h"

namespace warifu::web {
class Sessions;
}

namespace warifu::api {

inline constexpr std::chrono::seconds kHistoryStep{20};
inline constexpr std::chrono::seconds kFirstStep{2};  // of the first kFirstPoints after a start
inline constexpr std::size_t kFirstPoints = 10;
inline constexpr std::size_t kHistoryPoints = 360;  // two hours

// A moment of a link: what is left to send, and how fast it comes and goes.
struct LinkMoment {
  os::UnixMs time;
  std::uint64_t send_bytes = 0, receive_bytes = 0;  // residual; available
  double inflow = 0, outflow = 0;                   // bits a second, of the sending direction
};

class EventHub {
 public:
  struct Follower {
    std::shared_ptr<http::Feed> feed;
    bool sees_jobs = true;
    std::string session;  // it ends with this one; empty: with none
  };
  // `look`: from one look at the network to the next; 0: never.
  EventHub(Services services, web::Sessions* sessions, std::chrono::seconds look)
      : services_(services), sessions_(sessions), look_(look) {}
  ~EventHub() { stop(); }
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  void start();
  void stop();
  // `last`: the id of the last event that the client has seen; empty at its first time.
  void follow(Follower follower, std::string_view last);
  [[nodiscard]] std::size_t followers() const;
  [[nodiscard]] std::vector<LinkMoment> history(const SiteName& peer) const;
  [[nodiscard]] std::chrono::seconds look() const { return look_; }

 private:
  // In the order in which a client gets whole tables.
  enum Topic : std::size_t { kSite, kSites, kEdges, kLinks, kAlerts, kJobs, kTopics };
  struct Event {
    std::uint64_t number;
    Topic topic;
    std::string text;
  };
  struct Waiting {
    Follower follower;
    std::string last;
  };
  void watch();
  [[nodiscard]] std::array<EventTable::Rows, kTopics> look_at_site(const NetworkLook& seen);
  void look_around();
  void tell(std::array<EventTable::Rows, kTopics> rows);
  void welcome(const Waiting& waiting);
  void keep_history(std::chrono::nanoseconds now);
  void leave_out_gone();
  [[nodiscard]] std::string event_text(Topic topic, std::uint64_t number,
                                       const std::string& data) const;
  [[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view id) const;

  Services services_;
  web::Sessions* sessions_;
  const std::chrono::seconds look_;
  std::string epoch_;  // tells the events of this process from those of another one

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  NetworkLook seen_;
  std::vector<Waiting> waiting_;
  std::vector<Follower> followers_;
  std::array<EventTable, kTopics> tables_;
  std::deque<Event> recent_;
  std::size_t recent_bytes_ = 0;
  std::uint64_t number_ = 0;
  Holdings holdings_;  // the watching thread's
  std::optional<std::chrono::nanoseconds> counted_at_;
  std::map<SiteName, std::deque<LinkMoment>> history_;
  std::chrono::nanoseconds history_at_{};
  std::uint64_t history_points_ = 0;
  std::thread watcher_, looker_;
};

}  // namespace warifu::api
