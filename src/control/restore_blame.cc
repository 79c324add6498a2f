// Who lied: one chunk is fetched from every source, and shares of a pair that verifies are honest.
//
// Two shares alone only show that something is wrong; a third one tells which. The price is one
// chunk of key per source.
#include <fmt/format.h>

#include "control/restore_stream.h"

namespace warifu::control {
namespace {

struct Sample {
  const RestoreSource* source;
  secret::Buffer record;
};

}  // namespace

Result<> RestoreStream::blame(const RestorePlan& plan, std::uint64_t chunk) {
  std::vector<Sample> samples;
  std::set<std::vector<std::string>> seen;
  for (const RestoreSource& source : sources_) {
    if (is_excluded(source) || !evidence_.contains(source.at.site)) continue;
    if (source.other && !evidence_.contains(source.other->site)) continue;
    if (!seen.insert(source.letters).second) continue;
    auto opened = open_source(source, chunk, 1);
    if (!opened) continue;
    auto record = (*opened)->next();
    if (record) samples.push_back({&source, std::move(*record)});
  }
  std::set<std::string> honest;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (std::size_t j = i + 1; j < samples.size(); ++j) {
      const Sample& x = samples[i];
      const Sample& y = samples[j];
      if (x.source->top == y.source->top) continue;
      const auto verified = combine(*x.source, secret::Buffer::copy_of(x.record.bytes()), *y.source,
                                    secret::Buffer::copy_of(y.record.bytes()), chunk);
      if (!verified) continue;
      honest.insert(x.source->letters.begin(), x.source->letters.end());
      honest.insert(y.source->letters.begin(), y.source->letters.end());
    }
  }
  const std::string place = fmt::format("chunk {} does not match the tag on the card", chunk);
  if (honest.empty())
    return fail(Code::kCorrupt, place + ", and no other set of shares verifies it");
  std::vector<std::string> suspects;
  for (const std::string& letter : plan.letters()) {
    if (!honest.contains(letter)) suspects.push_back(letter);
  }
  for (const RestoreSource* side : {&plan.first, &plan.second}) {
    const bool own = side->at.site == site_.config.name && !side->other;
    for (const std::string& letter : side->letters) {
      // Only a single suspect is proven; of several, the way that they came is left out.
      const bool proven = suspects.size() == 1 && suspects.front() == letter;
      if (!proven) continue;
      exclude(*side, letter, place, true);
      TRY(site_.log.append("share_blamed", {{"share", letter},
                                            {"site", holder_of(letter).text()},
                                            {"object", object_.object.text()}}));
    }
    // Everybody was honest about this one chunk when asked again, or nobody can be told apart.
    if (suspects.size() != 1 && !own) exclude(*side, "", place, false);
  }
  return {};
}

}  // namespace warifu::control
