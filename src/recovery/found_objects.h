// What the shares at all sites say about an object: where its shares are now. Pure functions.
//
// Share headers name the object, the place in its tree and the siblings that the cut has made. Of
// two shares that claim one place the one that more siblings name is right. A share that was cut
// again is nowhere once all of its parts were made, and so on down the tree; until then its parts
// are of no use. What only
// siblings name is lost, or at a site that did not answer; it stands where they say. Only shares of
// one family (recovery/cut_families.h) are put together: the one that most sites show and that
// restores.
#pragma once

#include <map>
#include <string>

#include "catalog/catalog.h"
#include "recovery/messages.h"

namespace warifu::recovery {

struct FoundTree {
  catalog::FoundObject found;  // without the person
  std::map<SiteName, Pseudonym> owner;
  std::uint32_t lost = 0;  // shares in use that no site has shown
  // Shares that were cut into nothing but shares that were cut again: nobody tells their ids any
  // more, so they have been given others, always the same ones.
  std::map<sharing::SharePath, ShareId> unnamed;
};

// `shares` are all of one object. Errors: kRefused telling why they make no stored object: fewer
// than restore, or its cut was never finished.
[[nodiscard]] Result<FoundTree> settle(const std::vector<FoundShare>& shares);

}  // namespace warifu::recovery
