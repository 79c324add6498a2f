// The network of a simulated cluster: byte streams between sites, in memory, with delays, closed
// ways, dead machines, and somebody in the line (testing/sim_line.h).
//
// What was written before a way closed and was not read waits until it opens again, as TCP would
// send it once more. Who hears nothing of a machine that is gone, or behind a closed way, loses the
// connection after a minute, as the keepalive of os/net.cc would say; of a machine that died the
// other end hears at once or after that minute. What somebody lost or changed in the line, TCP does
// not know: the channel must.
// Ownership: the network outlives its streams and listeners. Thread rule: whoever has the turn.
#pragma once

#include <array>
#include <list>

#include "channel/caller.h"
#include "testing/sim_line.h"
#include "testing/sim_threads.h"

namespace warifu::sim {

class SimNet {
 public:
  using Time = Schedule::Time;
  static constexpr std::size_t kMostSites = 8;
  // Which process: a site, and how often it was started.
  struct Process {
    std::size_t site = 0;
    std::uint64_t life = 0;
  };

  // `names` are the host names; `alive` tells whether a process still runs.
  SimNet(Dice& dice, std::vector<std::string> names, std::function<bool(const Process&)> alive)
      : dice_(dice), names_(std::move(names)), alive_(std::move(alive)), attack_(dice, mischief) {}

  [[nodiscard]] std::unique_ptr<os::Listener> listen(const Process& process);
  [[nodiscard]] channel::Dial dial_from(const Process& process);

  // --- faults ---
  Mischief mischief;
  void close_way(std::size_t from, std::size_t to, bool closed);
  void open_all_ways();
  [[nodiscard]] bool is_closed(std::size_t from, std::size_t to) const {
    return closed_since_[from][to].has_value();
  }
  // What is on its way to and from a site takes so much longer.
  void set_slow(std::size_t site, Time more) { slow_[site] = more; }
  // Every connection between two sites ends.
  void cut(std::size_t a, std::size_t b);
  // Those who talked to it hear of it, sooner or later; whoever waits in it wakes.
  void process_died(const Process& process);

  // Is told of every frame as it was sent, before anything is done to it.
  std::function<void(const Process& from, const Process& to, ByteView frame)> tap;
  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] std::uint64_t connections() const { return next_number_; }

 private:
  friend class NetStream;
  friend class NetListener;
  struct Packet {
    Bytes bytes;
    Time at;
    bool is_end = false;
  };
  struct Way {
    std::deque<Packet> packets;
    std::size_t read = 0;  // of the first one
    Attack::Way attacked;
    Time last{0};  // arrival of the last packet
  };
  struct Line {
    std::array<Process, 2> ends;                  // caller, callee
    std::array<Way, 2> ways;                      // to the caller, to the callee
    std::array<bool, 2> shut{};                   // by this end
    std::array<std::optional<Time>, 2> broken{};  // from then on, for this end
  };
  struct Door {
    std::uint64_t life = 0;
    std::deque<std::unique_ptr<os::ByteStream>> waiting;
    bool closed = false;
  };

  void send(const std::shared_ptr<Line>& line, std::size_t end, Bytes frame);
  void push(Line& line, std::size_t to_end, Bytes bytes, bool is_end);
  [[nodiscard]] Time delay(std::size_t from, std::size_t to);
  // When a line is broken for that end, as far as it is known now.
  [[nodiscard]] std::optional<Time> broken_at(const Line& line, std::size_t end) const;
  [[nodiscard]] std::optional<std::size_t> site_named(const std::string& name) const;
  void shut(const std::shared_ptr<Line>& line, std::size_t end);
  Result<std::unique_ptr<os::ByteStream>> connect(const Process& from, const os::HostPort& address,
                                                  Time patience);

  Dice& dice_;
  std::vector<std::string> names_;
  std::function<bool(const Process&)> alive_;
  Attack attack_;
  std::array<std::array<std::optional<Time>, kMostSites>, kMostSites> closed_since_{};
  std::array<Time, kMostSites> slow_{};
  std::array<std::shared_ptr<Door>, kMostSites> doors_{};
  std::list<std::weak_ptr<Line>> lines_;
  std::uint64_t frames_ = 0, next_number_ = 0;
};

}  // namespace warifu::sim
