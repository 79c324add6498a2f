// Streams, doors and ways of the simulated network.
#include "testing/sim_net.h"

#include <algorithm>

namespace warifu::sim {
namespace {
constexpr std::chrono::seconds kKeepalive(60);
std::unexpected<Error> gone(const char* why) {
  return fail(Code::kUnavailable, std::string("simulated connection: ") + why);
}
}  // namespace

class NetStream final : public os::ByteStream {
 public:
  NetStream(SimNet& net, std::shared_ptr<SimNet::Line> line, std::size_t end)
      : net_(net), line_(std::move(line)), end_(end) {}
  ~NetStream() override { net_.shut(line_, end_); }
  NetStream(const NetStream&) = delete;
  NetStream& operator=(const NetStream&) = delete;

  Result<std::size_t> read_some(MutableBytes out) override {
    std::optional<SimNet::Time> deadline;
    if (timeout_.count() > 0) deadline = Schedule::now() + timeout_;
    for (;;) {
      if (!net_.alive_(line_->ends[end_])) return gone("this machine is down");
      if (line_->shut[end_]) return gone("closed");
      const auto broken = net_.broken_at(*line_, end_);
      const auto now = Schedule::now();
      auto next = deadline;
      const auto sooner = [&](SimNet::Time time) { next = next ? std::min(*next, time) : time; };
      if (!way_in().packets.empty() && is_open()) {
        if (way_in().packets.front().at <= now) return take(out);
        sooner(way_in().packets.front().at);
      }
      if (broken && *broken <= now) return gone("lost");
      if (deadline && *deadline <= now) return fail(Code::kTimeout, "no answer in simulated time");
      if (broken) sooner(*broken);
      (void)Schedule::wait(&*line_, next, "waits for bytes");
    }
  }

  Result<> write_all(ByteView bytes) override {
    if (auto problem = check_open(); !problem) return problem;
    net_.send(line_, end_, Bytes(bytes.begin(), bytes.end()));
    return check_open();
  }
  Result<> write_pieces(std::span<const ByteView> pieces) override {
    Bytes joined;
    for (const ByteView piece : pieces) joined.insert(joined.end(), piece.begin(), piece.end());
    return write_all(joined);
  }
  bool has_buffered() const override { return false; }
  bool has_input() const override {
    const auto& packets = line_->ways[end_].packets;
    const auto broken = net_.broken_at(*line_, end_);
    const auto now = Schedule::now();
    return line_->shut[end_] || (broken && *broken <= now) ||
           (!packets.empty() && is_open() && packets.front().at <= now);
  }
  int descriptor() const override { return -1; }
  void set_timeout(std::chrono::milliseconds timeout) override { timeout_ = timeout; }
  void shutdown() override { net_.shut(line_, end_); }

 private:
  SimNet::Way& way_in() { return line_->ways[end_]; }
  [[nodiscard]] bool is_open() const {
    return !net_.is_closed(line_->ends[1 - end_].site, line_->ends[end_].site);
  }
  Result<> check_open() const {
    if (!net_.alive_(line_->ends[end_])) return gone("this machine is down");
    if (line_->shut[end_]) return gone("closed");
    const auto broken = net_.broken_at(*line_, end_);
    if (broken && *broken <= Schedule::now()) return gone("lost");
    return {};
  }
  std::size_t take(MutableBytes out) {
    SimNet::Way& way = way_in();
    const SimNet::Packet& packet = way.packets.front();
    if (packet.is_end) return 0;  // stays: so it is for every later read
    const ByteView rest = ByteView(packet.bytes).subspan(way.read);
    const std::size_t size = std::min(out.size(), rest.size());
    copy_bytes(out, rest.first(size));
    way.read += size;
    if (way.read == packet.bytes.size()) {
      way.packets.pop_front();
      way.read = 0;
    }
    return size;
  }

  SimNet& net_;
  std::shared_ptr<SimNet::Line> line_;
  std::size_t end_;
  std::chrono::milliseconds timeout_{0};
};

class NetListener final : public os::Listener {
 public:
  NetListener(SimNet& net, std::shared_ptr<SimNet::Door> door, const SimNet::Process& process)
      : net_(net), door_(std::move(door)), process_(process) {}
  ~NetListener() override {
    close();
    door_->waiting.clear();
  }
  NetListener(const NetListener&) = delete;
  NetListener& operator=(const NetListener&) = delete;

  Result<std::unique_ptr<os::ByteStream>> accept() override {
    while (!door_->closed && net_.alive_(process_)) {
      if (!door_->waiting.empty()) {
        auto stream = std::move(door_->waiting.front());
        door_->waiting.pop_front();
        return stream;
      }
      (void)Schedule::wait(&*door_, std::nullopt, "waits for callers");
    }
    return fail(Code::kCancelled, "the simulated door is closed");
  }
  void close() override {
    door_->closed = true;
    if (Schedule::is_inside()) Schedule::wake(&*door_);
  }
  std::uint16_t port() const override { return 1; }

 private:
  SimNet& net_;
  std::shared_ptr<SimNet::Door> door_;
  SimNet::Process process_;
};

std::unique_ptr<os::Listener> SimNet::listen(const Process& process) {
  auto door = std::make_shared<Door>();
  door->life = process.life;
  doors_[process.site] = door;
  return std::make_unique<NetListener>(*this, std::move(door), process);
}

channel::Dial SimNet::dial_from(const Process& process) {
  return [this, process](const os::HostPort& address, std::chrono::milliseconds timeout) {
    return connect(process, address, timeout);
  };
}

std::optional<std::size_t> SimNet::site_named(const std::string& name) const {
  const auto at = std::ranges::find(names_, name);
  if (at == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(at - names_.begin());
}

Result<std::unique_ptr<os::ByteStream>> SimNet::connect(const Process& from,
                                                        const os::HostPort& address,
                                                        Time patience) {
  if (!alive_(from)) return gone("this machine is down");
  const auto to = site_named(address.host);
  if (!to) return gone("no such host");
  Schedule::sleep(delay(from.site, *to));
  if (is_closed(from.site, *to) || is_closed(*to, from.site)) {
    Schedule::sleep(patience);
    return gone("no answer in time");
  }
  const auto door = doors_[*to];
  if (door == nullptr || door->closed || !alive_({*to, door->life})) return gone("refused");
  auto line = std::make_shared<Line>();
  line->ends = {from, Process{*to, door->life}};
  lines_.push_back(line);
  ++next_number_;
  door->waiting.push_back(std::make_unique<NetStream>(*this, line, 1));
  Schedule::wake(&*door);
  if (!alive_(from)) return gone("this machine is down");
  return std::make_unique<NetStream>(*this, line, 0);
}

SimNet::Time SimNet::delay(std::size_t from, std::size_t to) {
  const auto usual = std::chrono::microseconds(dice_.between(200, 3000));
  return usual + slow_[from] + slow_[to];
}

void SimNet::push(Line& line, std::size_t to_end, Bytes bytes, bool is_end) {
  Way& way = line.ways[to_end];
  way.last = std::max(way.last,
                      Schedule::now() + delay(line.ends[1 - to_end].site, line.ends[to_end].site));
  way.packets.push_back({std::move(bytes), way.last, is_end});
  Schedule::wake(&line);
}

void SimNet::send(const std::shared_ptr<Line>& line, std::size_t end, Bytes frame) {
  ++frames_;
  Schedule::note(frame);
  if (tap) tap(line->ends[end], line->ends[1 - end], frame);
  Way& way = line->ways[1 - end];
  const bool is_cut = attack_.carry(way.attacked, end == 0, std::move(frame));
  Bytes arriving(way.attacked.bytes.begin(), way.attacked.bytes.end());
  way.attacked.bytes.clear();
  if (!arriving.empty()) push(*line, 1 - end, std::move(arriving), false);
  if (!is_cut) return;
  line->broken[0] = line->broken[1] = Schedule::now();
  Schedule::wake(&*line);
}

void SimNet::shut(const std::shared_ptr<Line>& line, std::size_t end) {
  if (std::exchange(line->shut[end], true) || !Schedule::is_inside()) return;
  // A machine without power says no goodbye.
  if (alive_(line->ends[end])) push(*line, 1 - end, {}, true);
  Schedule::wake(&*line);
}

std::optional<SimNet::Time> SimNet::broken_at(const Line& line, std::size_t end) const {
  std::optional<Time> when = line.broken[end];
  const std::size_t here = line.ends[end].site;
  const std::size_t there = line.ends[1 - end].site;
  for (const auto& since : {closed_since_[here][there], closed_since_[there][here]}) {
    if (since && (!when || *since + kKeepalive < *when)) when = *since + kKeepalive;
  }
  return when;
}

void SimNet::close_way(std::size_t from, std::size_t to, bool closed) {
  auto& since = closed_since_[from][to];
  if (closed == since.has_value()) return;
  if (closed) {
    since = Schedule::now();
  } else {
    // What was cut off for too long stays so.
    const bool too_long = *since + kKeepalive <= Schedule::now();
    since.reset();
    if (too_long) cut(from, to);
  }
  for (const auto& weak : lines_) {
    if (const auto line = weak.lock()) Schedule::wake(&*line);
  }
}

void SimNet::open_all_ways() {
  for (std::size_t from = 0; from < names_.size(); ++from) {
    for (std::size_t to = 0; to < names_.size(); ++to) close_way(from, to, false);
  }
}

void SimNet::cut(std::size_t a, std::size_t b) {
  for (const auto& weak : lines_) {
    const auto line = weak.lock();
    if (line == nullptr) continue;
    const std::size_t x = line->ends[0].site, y = line->ends[1].site;
    if ((x != a || y != b) && (x != b || y != a)) continue;
    for (auto& broken : line->broken)
      broken = std::min(broken.value_or(Time::max()), Schedule::now());
    Schedule::wake(&*line);
  }
}

void SimNet::process_died(const Process& process) {
  std::erase_if(lines_, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : lines_) {
    const auto line = weak.lock();
    if (line == nullptr) continue;
    for (std::size_t end = 0; end < 2; ++end) {
      if (line->ends[end].site != process.site || line->ends[end].life != process.life) continue;
      const Time later = Schedule::now() + (dice_.one_in(3) ? Time(kKeepalive) : Time(0));
      auto& broken = line->broken[1 - end];
      broken = std::min(broken.value_or(Time::max()), later);
    }
    Schedule::wake(&*line);
  }
  if (doors_[process.site] != nullptr) Schedule::wake(&*doors_[process.site]);
}

}  // namespace warifu::sim
