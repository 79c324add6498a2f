// A small list.
#include "control/region_quotes.h"

namespace warifu::control {

void RegionQuotes::forget_old(os::UnixMs now) {
  std::erase_if(kept_, [&](const Kept& one) { return one.since.value + kLifeMs <= now.value; });
  while (kept_.size() > kMost) kept_.pop_back();
}

void RegionQuotes::add(RegionQuote quote, os::UnixMs now) {
  const std::lock_guard lock(mutex_);
  kept_.push_front({std::move(quote), now});
  forget_old(now);
}

std::optional<RegionQuote> RegionQuotes::find(const GrantId& index, const consent::Scope& regions,
                                              std::uint32_t decoys, os::UnixMs now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  for (const Kept& one : kept_) {
    const consent::Scope scope = one.quote.scope();
    if (one.quote.index == index && one.quote.decoys == decoys &&
        scope.assembly == regions.assembly && scope.regions == regions.regions) {
      return one.quote;
    }
  }
  return std::nullopt;
}

std::optional<RegionCuts> RegionQuotes::find(const ObjectId& object, const consent::Scope& scope,
                                             os::UnixMs now) {
  const consent::Scope wanted = consent::closed(scope);
  const std::lock_guard lock(mutex_);
  forget_old(now);
  for (const Kept& one : kept_) {
    if (one.quote.object == object && consent::closed(one.quote.scope()) == wanted) {
      return one.quote.cuts;
    }
  }
  return std::nullopt;
}

}  // namespace warifu::control
