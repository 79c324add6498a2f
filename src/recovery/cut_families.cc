// Joined by their ids first, then by what fits.
#include "recovery/cut_families.h"

#include <algorithm>
#include <map>
#include <set>

namespace warifu::recovery {
namespace {

using Family = std::vector<const FoundShare*>;
using PlaceClaim = std::pair<sharing::SharePath, ShareId>;

// The places that a share says it knows something of: its own, its siblings', its parent's.
std::vector<PlaceClaim> claims_of(const FoundShare& found, Ties ties) {
  std::vector<PlaceClaim> claims = {{found.spec.path, found.spec.share}};
  const sharing::SharePath cut = found.spec.path.parent();
  for (const control::Sibling& sibling : found.siblings) {
    claims.emplace_back(cut.part(static_cast<std::size_t>(sibling.index)), sibling.share);
  }
  if (ties == Ties::kOfObject && !found.spec.path.is_top() && found.spec.parent) {
    claims.emplace_back(cut, *found.spec.parent);
  }
  return claims;
}

// A family with all that its shares claim.
struct Kin {
  Family shares;
  std::uint32_t generation = 0;
  std::map<sharing::SharePath, std::set<ShareId>> claims;

  void take(Kin other) {
    shares.insert(shares.end(), other.shares.begin(), other.shares.end());
    for (auto& [path, ids] : other.claims) claims[path].insert(ids.begin(), ids.end());
  }
  // Each of the two says who stands at some place, and it is not the same one.
  [[nodiscard]] bool contradicts(const Kin& other) const {
    return generation != other.generation || std::ranges::any_of(claims, [&](const auto& claim) {
             return other.claims.contains(claim.first);
           });
  }
  [[nodiscard]] bool shares_an_id(const Kin& other) const {
    if (generation != other.generation) return false;
    return std::ranges::any_of(claims, [&](const auto& claim) {
      const auto there = other.claims.find(claim.first);
      return there != other.claims.end() &&
             std::ranges::any_of(claim.second,
                                 [&](const ShareId& id) { return there->second.contains(id); });
    });
  }
};

// Whom one may stand beside; none when these contradict each other: then nobody can tell whose it
// is.
std::vector<std::size_t> fitting(const std::vector<Kin>& kin, std::size_t one) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < kin.size(); ++i) {
    if (i != one && !kin[i].contradicts(kin[one])) all.push_back(i);
  }
  for (const std::size_t a : all) {
    for (const std::size_t b : all) {
      if (a != b && kin[a].contradicts(kin[b])) return {};
    }
  }
  return all;
}

// None of them has an id in common with another.
void join_what_fits(std::vector<Kin>& kin) {
  for (std::size_t i = 0; i < kin.size();) {
    const auto others = fitting(kin, i);
    const auto other = std::ranges::find_if(others, [&](std::size_t j) {
      const auto back = fitting(kin, j);
      return std::ranges::find(back, i) != back.end();
    });
    if (other == others.end()) {
      ++i;
      continue;
    }
    kin[i].take(std::move(kin[*other]));
    kin.erase(kin.begin() + static_cast<std::ptrdiff_t>(*other));
    i = 0;
  }
}

}  // namespace

std::vector<Family> families_of(const std::vector<const FoundShare*>& shares, Ties ties) {
  std::vector<Kin> kin;
  for (const FoundShare* found : shares) {
    Kin joined{.shares = {found}, .generation = found->spec.generation, .claims = {}};
    for (const auto& [path, id] : claims_of(*found, ties)) joined.claims[path].insert(id);
    for (std::size_t i = 0; i < kin.size();) {
      if (!joined.shares_an_id(kin[i])) {
        ++i;
        continue;
      }
      joined.take(std::move(kin[i]));
      kin.erase(kin.begin() + static_cast<std::ptrdiff_t>(i));
    }
    kin.push_back(std::move(joined));
  }
  join_what_fits(kin);
  std::vector<Family> families;
  for (Kin& one : kin) families.push_back(std::move(one.shares));
  return families;
}

}  // namespace warifu::recovery
