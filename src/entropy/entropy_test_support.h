// Seeded fake sources: good ones that can become stuck or go away.
#pragma once

#include <random>

#include "entropy/feed.h"

namespace warifu::entropy {

class FakeSource final : public Source {
 public:
  explicit FakeSource(std::uint64_t seed) : generator_(seed) {}

  Result<std::size_t> read(MutableBytes out) override {
    ++reads;
    if (gone) return fail(Code::kTimeout, "the fake is gone");
    const std::size_t part = std::min<std::size_t>(out.size(), 1000);  // short reads
    for (auto& byte : out.first(part)) {
      const bool stuck = given++ >= stuck_after;
      byte = stuck ? Byte{0x42} : static_cast<Byte>(generator_());
    }
    return part;
  }

  std::uint64_t given = 0;
  std::uint64_t stuck_after = UINT64_MAX;
  std::uint64_t reads = 0;
  bool gone = false;

 private:
  std::mt19937_64 generator_;
};

// A feed over a fake that the caller keeps a pointer to.
struct FakeFeed {
  FakeSource* source = nullptr;
  std::unique_ptr<Feed> feed;
};

inline FakeFeed fake_feed(FeedSettings settings, std::uint64_t seed, os::Clock& clock,
                          os::Random& random) {
  auto source = std::make_unique<FakeSource>(seed);
  FakeFeed fake{.source = source.get(), .feed = nullptr};
  fake.feed = std::make_unique<Feed>(std::move(settings), std::move(source), clock, random);
  return fake;
}

}  // namespace warifu::entropy
