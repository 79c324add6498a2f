// Two sites with key streams, with real pools and a carrier in between that can fail, lose answers,
// repeat itself, or find the far site restarted. Whatever happens, an index has one content at both
// ends, and no byte of a pool is given twice.
#include "kme/key_streams.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <shared_mutex>

#include "base/log.h"
#include "kme/link_ends_test_support.h"

namespace warifu::kme {
namespace {

const SiteName kA = *SiteName::parse("a");
const SiteName kB = *SiteName::parse("b");

// What the channel does, without a network; a stream's source is at A.
class Wire final : public StreamCarrier {
 public:
  Result<DrawnFrames> draw(const SiteName& /*peer*/, const StreamBlockHead& head,
                           std::size_t frames, std::size_t frame_bytes) override {
    const std::shared_lock end_lock(ends_mutex);
    if (down || far == nullptr) return fail(Code::kUnavailable, "b cannot be reached");
    const ByteCount size{frames * frame_bytes + keypool::kShareHashKeyBytes};
    TRY_ASSIGN(auto theirs, far_pool->reserve(size, keypool::Purpose::kApplication));
    TRY_ASSIGN(auto ours, near_pool->accept(theirs.begin(), size, keypool::Purpose::kApplication));
    DrawnFrames there, here;
    for (auto [range, out] : {std::pair{&theirs, &there}, {&ours, &here}}) {
      TRY(range->take(keypool::kShareHashKeyBytes));
      for (std::size_t i = 0; i < frames; ++i) {
        TRY(range->draw(out->frames.emplace_back(frame_bytes).bytes()));
      }
    }
    drawn += frames * frame_bytes;
    if (overtake && head.block % 2 == 0) await(head.block + 1);
    TRY(far->take_block(kA, head, std::move(there)));
    {
      const std::lock_guard lock(mutex);
      taken.insert(head.block);
    }
    changed.notify_all();
    if (lose_answer) return fail(Code::kUnavailable, "the answer was lost");
    return here;
  }
  Result<> tell(const SiteName& peer, StreamMethod method, Bytes body) override {
    const std::shared_lock end_lock(ends_mutex);
    KeyStreams* const to = peer == kB ? far : near;
    if (down || to == nullptr) {
      return fail(Code::kUnavailable, "the far site cannot be reached");
    }
    const SiteName from = peer == kB ? kA : kB;
    for (int i = 0; i < 2; ++i) {  // everything is told twice
      if (method == StreamMethod::kOpen) {
        TRY_ASSIGN(const auto opening, decode_stream_opening(body));
        TRY(to->take_opening(from, opening));
      } else {
        TRY_ASSIGN(const auto note, decode_stream_note(body));
        TRY(to->take_note(from, note));
      }
    }
    return {};
  }
  // A site that starts or stops; calls that are under way end first.
  void connect(KeyStreams*& end, KeyStreams* site) {
    const std::unique_lock lock(ends_mutex);
    end = site;
  }
  // Until the far end has that block, or none is ordered.
  void await(std::uint64_t block) {
    std::unique_lock lock(mutex);
    overtaken += changed.wait_for(lock, std::chrono::milliseconds(300),
                                  [&] { return taken.contains(block); });
  }
  std::shared_mutex ends_mutex;  // of `near` and `far`
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::uint64_t> taken;
  int overtaken = 0;
  std::atomic<bool> overtake = false;
  KeyStreams* near = nullptr;
  KeyStreams* far = nullptr;
  keypool::Pool* near_pool = nullptr;
  keypool::Pool* far_pool = nullptr;
  std::atomic<bool> down = false, lose_answer = false;
  std::atomic<std::uint64_t> drawn = 0;
};

class KeyStreamsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(init_log("test", "", LogLevel::kError)); }
  void SetUp() override {
    settings_.streams = {.socket = "-", .most = 2, .life = std::chrono::seconds(60)};
    settings_.saes = {{"M", kA, "m"}, {"S", kB, "s"}, {"T", kB, "t"}, {"L", kA, "l"}};
    ends_.preload(3'000'000);
    wire_.near_pool = &ends_.left_link().send();
    wire_.far_pool = &ends_.right_link().receive();
    gate_ = *SaeGate::open(system_, ends_.left->switches(), ends_.dir + "/quotas", settings_);
    start_a();
    start_b();
  }
  void TearDown() override {
    stop_a();
    stop_b();
  }
  void stop_a() {
    wire_.connect(wire_.near, nullptr);
    a_.reset();
  }
  void stop_b() {
    wire_.connect(wire_.far, nullptr);
    b_.reset();
  }
  void start_a() {
    stop_a();
    a_ = std::make_unique<KeyStreams>(system_, kA, settings_, *ends_.left, *gate_, wire_);
    wire_.connect(wire_.near, a_.get());
  }
  void start_b() {
    stop_b();
    b_ = std::make_unique<KeyStreams>(system_, kB, settings_, *ends_.right, *gate_, wire_);
    wire_.connect(wire_.far, b_.get());
  }
  StreamOpenAnswer open_a(StreamQos qos = {.chunk_bytes = 4096, .timeout_ms = 200}) {
    return a_->open({"M", "S", std::move(qos), {}}, user_);
  }
  KeyStreamId pair(StreamQos qos = {.chunk_bytes = 4096, .timeout_ms = 200}) {
    const StreamOpenAnswer opened = open_a(qos);
    EXPECT_EQ(opened.status, StreamStatus::kOkPeerNotConnected);
    EXPECT_EQ(b_->open({"M", "S", {.timeout_ms = qos.timeout_ms}, opened.id}, user_).status,
              StreamStatus::kOk);
    return opened.id;
  }
  std::optional<Bytes> take(KeyStreams& site, const KeyStreamId& id) {
    const auto chunk = site.take({id, kNextChunk, 0}, user_);
    if (!chunk) return std::nullopt;
    const Bytes bytes(chunk->bytes().begin(), chunk->bytes().end());
    given_.insert({chunk->index(), bytes});
    contents_.insert(bytes);
    return bytes;
  }
  StreamStatus end_of(KeyStreams& site, const KeyStreamId& id) {
    for (;;) {
      const auto chunk = site.take({id, kNextChunk, 0}, user_);
      if (!chunk && chunk.error() != StreamStatus::kInsufficientKey) return chunk.error();
    }
  }

  std::uint32_t user_ = ::geteuid();
  os::System system_ = os::real_system();
  LinkEnds ends_{system_, LinkClass::kPreshared, "a", "b", RandomFrom::kKernel};
  SaeSettings settings_;
  Wire wire_;
  std::unique_ptr<SaeGate> gate_;
  std::unique_ptr<KeyStreams> a_, b_;
  std::set<std::pair<std::uint32_t, Bytes>> given_;
  std::set<Bytes> contents_;
};

TEST_F(KeyStreamsTest, BothEndsGetTheSameUntilTheKeyIsUsedUp) {
  const KeyStreamId id = pair({.chunk_bytes = 48, .timeout_ms = 500});
  std::uint32_t count = 0;
  for (;; ++count) {
    const auto here = take(*a_, id);
    if (!here) break;
    ASSERT_EQ(take(*b_, id), here);
  }
  EXPECT_GT(count, 40'000u);
  EXPECT_EQ(contents_.size(), count);
  EXPECT_EQ(given_.size(), count);
  // The control floor is left.
  EXPECT_GE(wire_.near_pool->status().available_bytes, limits::kControlFloorBytes);
}

TEST_F(KeyStreamsTest, NothingIsDrawnBeforeBothAreThereNorFarAheadOfTheSlower) {
  const StreamOpenAnswer opened = open_a();
  EXPECT_EQ(a_->take({opened.id, kNextChunk, 0}, user_).error(), StreamStatus::kPeerNotConnected);
  EXPECT_EQ(wire_.drawn, 0u);
  ASSERT_EQ(b_->open({"", "S", {.timeout_ms = 200}, opened.id}, user_).status, StreamStatus::kOk);
  while (take(*a_, opened.id)) {
  }
  EXPECT_LE(wire_.drawn, 65'536u);
}

TEST_F(KeyStreamsTest, ALostAnswerBreaksTheStreamAndNothingDiffers) {
  const KeyStreamId id = pair();
  const auto first = take(*a_, id);
  ASSERT_TRUE(first);
  ASSERT_EQ(take(*b_, id), first);
  wire_.lose_answer = true;
  // When it breaks, one end may have been given a chunk that is burnt at the other.
  while (const auto here = take(*a_, id)) {
    const auto there = take(*b_, id);
    if (!there) break;
    ASSERT_EQ(there, here);
  }
  EXPECT_EQ(given_.size(), contents_.size());
  wire_.lose_answer = false;
  EXPECT_EQ(end_of(*a_, id), StreamStatus::kNoConnection);
  EXPECT_EQ(end_of(*b_, id), StreamStatus::kNoConnection);
}

TEST_F(KeyStreamsTest, ABlockMayOvertakeTheOneBeforeIt) {
  wire_.overtake = true;
  const KeyStreamId id = pair({.chunk_bytes = 4096, .timeout_ms = 10'000});
  for (int i = 0; i < 40; ++i) {
    const auto here = take(*a_, id);
    ASSERT_TRUE(here);
    ASSERT_EQ(take(*b_, id), here);
  }
  const std::lock_guard lock(wire_.mutex);
  EXPECT_GT(wire_.overtaken, 0);
}

TEST_F(KeyStreamsTest, ABlockOutOfTurnBreaksTheStream) {
  const KeyStreamId id = pair();
  ASSERT_TRUE(take(*a_, id));
  DrawnFrames frames;
  frames.frames.emplace_back(4096);
  EXPECT_EQ(b_->take_block(kA, {id, 100}, std::move(frames)).error().code, Code::kRefused);
  EXPECT_EQ(end_of(*b_, id), StreamStatus::kNoConnection);
  EXPECT_EQ(end_of(*a_, id), StreamStatus::kNoConnection);
}

TEST_F(KeyStreamsTest, ARestartedSiteEndsStreamsAtBothEnds) {
  const KeyStreamId id = pair();
  ASSERT_EQ(take(*b_, id), take(*a_, id));
  start_b();
  EXPECT_EQ(b_->take({id, kNextChunk, 0}, user_).error(), StreamStatus::kNoStream);
  EXPECT_EQ(end_of(*a_, id), StreamStatus::kNoConnection);
  const KeyStreamId next = pair();
  ASSERT_EQ(take(*b_, next), take(*a_, next));
  start_a();
  EXPECT_EQ(a_->take({next, kNextChunk, 0}, user_).error(), StreamStatus::kNoStream);
  EXPECT_EQ(end_of(*b_, next), StreamStatus::kNoConnection);
  EXPECT_EQ(contents_.size(), 2u);
}

TEST_F(KeyStreamsTest, WhatIsRefused) {
  const auto open = [&](const std::string& from, const std::string& to, std::uint32_t user) {
    return a_->open({from, to, {}, {}}, user).status;
  };
  EXPECT_EQ(open("M", "S", user_ + 1), StreamStatus::kNotAllowed);
  EXPECT_EQ(open("S", "M", user_), StreamStatus::kNotAllowed);
  EXPECT_EQ(open("M", "L", user_), StreamStatus::kNotAllowed);
  EXPECT_EQ(open("M", "X", user_), StreamStatus::kNotAllowed);
  const KeyStreamId id = pair();
  EXPECT_EQ(a_->take({id, kNextChunk, 0}, user_ + 1).error(), StreamStatus::kNotAllowed);
  EXPECT_EQ(a_->close(id, user_ + 1), StreamStatus::kNotAllowed);
  EXPECT_EQ(b_->open({"M", "T", {}, id}, user_).status, StreamStatus::kIdInUse);
  EXPECT_EQ(open_a().status, StreamStatus::kOkPeerNotConnected);
  EXPECT_EQ(open_a().status, StreamStatus::kTooMany);
  const StreamOpening foreign{KeyStreamId::from_view(Bytes(16, 1)), "S", "M", 16, 1000};
  EXPECT_EQ(b_->take_opening(kA, foreign).error().code, Code::kRefused);
  EXPECT_EQ(b_->take_note(kB, {id, StreamNote::Kind::kBroken, 0}).error().code, Code::kNotFound);
  wire_.down = true;
  EXPECT_EQ(a_->close(id, user_), StreamStatus::kOk);
  EXPECT_EQ(a_->close(id, user_), StreamStatus::kNoStream);
}

TEST_F(KeyStreamsTest, TheQualityThatIsAskedIsMetOrAnsweredWithWhatCanBe) {
  StreamOpenAnswer answer = open_a({.chunk_bytes = 17});
  EXPECT_EQ(answer.status, StreamStatus::kQosNotMet);
  EXPECT_EQ(answer.qos.chunk_bytes, 32u);
  answer = open_a({.ttl_seconds = 61});
  EXPECT_EQ(answer.status, StreamStatus::kQosNotMet);
  EXPECT_EQ(answer.qos.ttl_seconds, 60u);
  answer = open_a({.min_bps = 4'000'000'000U});
  EXPECT_EQ(answer.status, StreamStatus::kQosNotMet);
  EXPECT_NEAR(answer.qos.min_bps, 2.4e6 * 8 / 60, 50'000);
  answer = open_a({.min_bps = answer.qos.min_bps, .jitter = 3, .priority = 4});
  EXPECT_EQ(answer.status, StreamStatus::kOkPeerNotConnected);
  EXPECT_EQ(answer.qos.priority, 0u);
}

TEST_F(KeyStreamsTest, AStreamEndsWhenItsTimeIsOver) {
  const KeyStreamId id = pair({.chunk_bytes = 64, .timeout_ms = 3000, .ttl_seconds = 1});
  EXPECT_EQ(take(*a_, id), take(*b_, id));
  EXPECT_EQ(end_of(*a_, id), StreamStatus::kNoConnection);
  EXPECT_EQ(end_of(*b_, id), StreamStatus::kNoConnection);
}

}  // namespace
}  // namespace warifu::kme
