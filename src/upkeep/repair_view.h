// What each site comes to know when a share is made anew out of masked parts.
//
// A site knows what it holds, the masks of links that it ends or whose key it knows, and the parts
// that pass it. All of these are sums of parts and masks; what it learns is every sum of them in
// which no mask is left. So the view is found by elimination over GF(2), the masks first, and is
// exact; its reading in words of shares errs on the side of more (a sum of several parts counts as
// all of them, unless it is just one whole share). Pure functions, any thread.
#pragma once

#include "planner/restore_plan.h"

namespace warifu::upkeep {

// One term of the sum: what a holder gives, and its way.
struct PartWay {
  planner::ShareLocation at;
  planner::Route route;             // to the new holder
  std::set<SiteName> knowing = {};  // sites beside it that may know key of its links
  // Sites that may know the key that masks this part and the next one, both holders left out.
  std::set<SiteName> mask_knowing = {};
};

struct SumOfParts {
  planner::ShareLocation made;  // what comes to be, at its new site
  std::vector<PartWay> parts;   // at most 64; neighbours share masks, so one part has none
};

// Sites and what they come to see beyond what they hold, the new holder among them.
[[nodiscard]] std::vector<planner::SourceView> views_of(const SumOfParts& sum);

}  // namespace warifu::upkeep
