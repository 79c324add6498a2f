// Carrying frames, and what is done to them on the way.
#include "testing/sim_line.h"

namespace warifu::sim {
namespace {
constexpr std::size_t kKeptFrames = 48;
constexpr std::size_t kTypeAt = 3;
constexpr Byte kLastClearType = 15;
enum What : std::uint8_t { kLose, kLoseToo, kCut, kTwice, kHoldBack, kFlip, kOld, kOldBefore };
constexpr const char* kWhatTexts[] = {"is lost",
                                      "is lost",
                                      "is lost, and the line is cut",
                                      "arrives twice",
                                      "is held back, if none is yet",
                                      "is changed",
                                      "gives way to an old one, if there is one",
                                      "follows an old one, if there is one"};
}  // namespace

class SimStream final : public os::ByteStream {
 public:
  SimStream(std::shared_ptr<SimLine> line, bool is_caller, std::function<bool()> alive)
      : line_(std::move(line)), is_caller_(is_caller), alive_(std::move(alive)) {}
  ~SimStream() override { line_->closed_ = true; }
  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;

  Result<std::size_t> read_some(MutableBytes out) override {
    std::deque<Byte>& bytes = way_in().bytes;
    const bool in_time =
        line_->turns_.wait([&] { return !bytes.empty() || line_->closed_ || !alive_(); });
    if (!alive_()) return gone();
    if (!in_time) return fail(Code::kTimeout, "the simulated line is silent");
    const std::size_t size = std::min(out.size(), bytes.size());
    const auto end = bytes.begin() + static_cast<std::ptrdiff_t>(size);
    std::copy(bytes.begin(), end, out.begin());
    bytes.erase(bytes.begin(), end);
    return size;
  }
  Result<> write_all(ByteView bytes) override {
    if (!alive_() || line_->closed_) return gone();
    line_->carry(is_caller_, Bytes(bytes.begin(), bytes.end()));
    if (line_->dice_.one_in(3)) line_->turns_.pass();
    if (!alive_()) return gone();
    return {};
  }
  Result<> write_pieces(std::span<const ByteView> pieces) override {
    Bytes joined;
    for (const ByteView piece : pieces) joined.insert(joined.end(), piece.begin(), piece.end());
    return write_all(joined);
  }
  bool has_buffered() const override { return false; }
  int descriptor() const override { return -1; }
  void set_timeout(std::chrono::milliseconds) override {}
  void shutdown() override { line_->closed_ = true; }

 private:
  Attack::Way& way_in() { return line_->ways_[is_caller_ ? 1 : 0]; }
  static std::unexpected<Error> gone() {
    return fail(Code::kUnavailable, "the simulated line is closed");
  }

  std::shared_ptr<SimLine> line_;
  bool is_caller_;
  std::function<bool()> alive_;
};

SimLine::Ends SimLine::make(Turns& turns, Dice& dice, Mischief& mischief,
                            std::function<bool()> caller_alive,
                            std::function<bool()> callee_alive) {
  auto line = std::make_shared<SimLine>(turns, dice, mischief);
  return {std::make_unique<SimStream>(line, true, std::move(caller_alive)),
          std::make_unique<SimStream>(line, false, std::move(callee_alive))};
}

void Attack::flip(Bytes& frame) {
  const std::uint64_t bit = dice_.below(8);
  const std::uint64_t at = dice_.below(frame.size());
  frame[at] ^= static_cast<Byte>(1U << bit);
  if (mischief_.on_attack) {
    mischief_.on_attack("in bit " + std::to_string(bit) + " of byte " + std::to_string(at));
  }
}

Attack::Fate Attack::decide(Way& way, bool from_caller, Bytes& frame) {
  if (mischief_.rewrite && mischief_.rewrite(frame, from_caller)) {
    mischief_.touched = true;
    if (mischief_.on_attack) mischief_.on_attack("is rewritten");
  }
  if (mischief_.one_in == 0 || !dice_.one_in(mischief_.one_in)) return Fate::kArrives;
  mischief_.touched = true;
  auto what = static_cast<What>(dice_.below(8));
  const bool greeting = frame.size() > kTypeAt && frame[kTypeAt] <= kLastClearType;
  if (greeting && mischief_.spares_greetings && what > kTwice) what = kLose;
  if (mischief_.on_attack) mischief_.on_attack(kWhatTexts[what]);
  switch (what) {
    case kLose:
    case kLoseToo: return Fate::kLost;
    case kCut: return Fate::kCut;
    case kTwice:
      way.bytes.insert(way.bytes.end(), frame.begin(), frame.end());
      return Fate::kArrives;
    case kHoldBack:
      if (way.held_back) return Fate::kArrives;
      way.held_back = frame;
      return Fate::kLost;
    case kFlip: flip(frame); return Fate::kArrives;
    case kOld:
    case kOldBefore: {
      if (mischief_.kept.empty()) return Fate::kArrives;
      const Bytes old = mischief_.kept[dice_.below(mischief_.kept.size())];
      way.bytes.insert(way.bytes.end(), old.begin(), old.end());
      return what == kOld ? Fate::kLost : Fate::kArrives;
    }
  }
  return Fate::kArrives;
}

bool Attack::carry(Way& way, bool from_caller, Bytes frame) {
  const Bytes as_sent = frame;
  if (mischief_.on_frame) mischief_.on_frame(as_sent);
  const Fate fate = decide(way, from_caller, frame);
  if (mischief_.kept.size() < kKeptFrames) {
    mischief_.kept.push_back(as_sent);
  } else {
    mischief_.kept[dice_.below(kKeptFrames)] = as_sent;
  }
  if (fate != Fate::kArrives) return fate == Fate::kCut;
  way.bytes.insert(way.bytes.end(), frame.begin(), frame.end());
  if (way.held_back && as_sent != *way.held_back) {
    way.bytes.insert(way.bytes.end(), way.held_back->begin(), way.held_back->end());
    way.held_back.reset();
  }
  return false;
}

}  // namespace warifu::sim
