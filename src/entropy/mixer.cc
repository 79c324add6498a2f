// XOR of what the feeds give, and what the result may be called.
#include "entropy/mixer.h"

#include <algorithm>

namespace warifu::entropy {
namespace {

using keypool::Origin;

// What the sum of these parts is at least as good as.
Origin claim_of(const std::vector<std::unique_ptr<Feed>>& feeds, const std::vector<bool>& parts) {
  std::optional<Origin> first;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const FeedSettings& settings = feeds[i]->settings();
    if (!parts[i] || !settings.carries_full_entropy()) continue;
    if (settings.origin == Origin::kHardware) return Origin::kHardware;
    if (!first) first = settings.origin;
  }
  WARIFU_CHECK(first.has_value());  // a required feed carries full entropy
  return *first;
}

}  // namespace

Mixer::Mixer(std::vector<std::unique_ptr<Feed>> feeds) : feeds_(std::move(feeds)) {
  WARIFU_CHECK(std::ranges::any_of(feeds_, [](const auto& feed) {
    return feed->settings().required && feed->settings().carries_full_entropy();
  }));
}

Result<> Mixer::start() {
  Result<> first;
  for (const auto& feed : feeds_) {
    auto started = feed->start();
    if (!started && feed->settings().required && first) first = std::move(started);
  }
  return first;
}

Result<Mixer::Unit> Mixer::mix(MutableBytes out, MutableBytes part) {
  Unit unit{.parts = std::vector<bool>(feeds_.size())};
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    if (auto taken = feeds_[i]->take(part); !taken) {
      if (feeds_[i]->settings().required) return std::unexpected(taken.error());
      // A source that is out already says the same at every unit: that drops nothing.
      const FeedStatus status = feeds_[i]->status();
      unit.dropped = unit.dropped || (status.state == FeedState::kFailed);
      continue;
    }
    unit.parts[i] = true;
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = static_cast<Byte>(out[k] ^ part[k]);
  }
  return unit;
}

Result<Batch> Mixer::next(std::size_t most, const std::function<bool(std::size_t)>& enough) {
  WARIFU_CHECK(most >= kUnit && most % kUnit == 0);
  Batch batch{.bytes = secret::Buffer(most)};
  secret::Buffer unit_bytes(kUnit), part(kUnit);
  std::vector<bool> parts;
  std::size_t done = 0;
  while (done < most && !enough(done)) {
    std::ranges::fill(unit_bytes.bytes(), Byte{0});
    TRY_ASSIGN(const Unit unit, mix(unit_bytes.bytes(), part.bytes()));
    if (done > 0 && unit.parts != parts) {
      // What was mixed before the failure may have been weak already.
      if (unit.dropped) done = 0;
      if (done > 0) break;
    }
    parts = unit.parts;
    copy_bytes(batch.bytes.bytes().subspan(done, kUnit), unit_bytes.bytes());
    done += kUnit;
  }
  batch.bytes.shrink(done);
  if (done == 0) return batch;
  batch.claim = claim_of(feeds_, parts);
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    if (!parts[i]) continue;
    batch.parts = static_cast<std::uint16_t>(
        batch.parts | 1U << static_cast<unsigned>(feeds_[i]->settings().origin));
  }
  return batch;
}

std::vector<FeedStatus> Mixer::status() const {
  std::vector<FeedStatus> all;
  for (const auto& feed : feeds_) all.push_back(feed->status());
  return all;
}

void Mixer::stop() {
  for (const auto& feed : feeds_) feed->stop();
}

Result<> Mixer::readmit(const std::string& name) {
  std::string known;
  for (const auto& feed : feeds_) {
    if (feed->settings().name == name) return feed->readmit();
    known += (known.empty() ? "" : ", ") + feed->settings().name;
  }
  return fail(Code::kNotFound, "there is no source '" + name + "'; there are: " + known);
}

}  // namespace warifu::entropy
