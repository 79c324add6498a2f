// Factors by kind.
#include "viewing/room.h"

#include <algorithm>

namespace warifu::viewing {

std::uint64_t records_bound(genome::FileKind kind, std::uint64_t bytes) {
  const std::uint64_t counted = std::min(bytes, UINT64_MAX / kBamOfCram);
  if (kind == genome::FileKind::kCram) return counted * kBamOfCram;
  // The same blocks written anew: a writer that packs harder than ours makes them a little smaller.
  return counted + counted / 4;
}

}  // namespace warifu::viewing
