// Which of the shares that sites show were cut together. Pure functions.
//
// Two attempts at one cut, or two refreshes that got the same number in catalogs that did not know
// of one another, leave shares for the same places whose bytes do not fit: joined, they give
// nothing. Headers tell them apart: a share names its siblings, and the share that it is a part of.
// Shares that name one another, or the same third one, are one family; so are those of which
// nothing says that they are not, because no place is claimed twice.
#pragma once

#include <vector>

#include "recovery/messages.h"

namespace warifu::recovery {

enum class Ties : std::uint8_t {
  kOfCut,     // siblings: all shares given are of one cut
  kOfObject,  // siblings, and the shares that were cut again
};

// The families of shares of one object, each of one generation; in no order. What would fit several
// families that contradict each other stays alone.
[[nodiscard]] std::vector<std::vector<const FoundShare*>> families_of(
    const std::vector<const FoundShare*>& shares, Ties ties);

}  // namespace warifu::recovery
