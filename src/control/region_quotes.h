// What reading regions would take, found in an object's index under the person's consent to it, and
// kept in memory until the person has consented to the regions, or for an hour.
// Thread-safe.
#pragma once

#include <list>
#include <mutex>
#include <optional>

#include "control/region_cuts.h"
#include "os/system.h"

namespace warifu::control {

struct RegionQuote {
  GrantId index;  // the consent under which the index was read
  ObjectId object;
  RegionCuts cuts;
  std::uint32_t decoys = 0;              // for each region
  std::uint64_t bytes = 0;               // of the file
  std::uint64_t key_bytes = 0;           // over all links, as things stood
  std::uint64_t key_bytes_of_whole = 0;  // of reading all of the object, to compare
  [[nodiscard]] consent::Scope scope() const { return cuts.allowed(); }
};

class RegionQuotes {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr std::int64_t kLifeMs = 3'600'000;

  // The oldest gives way when there are too many.
  void add(RegionQuote quote, os::UnixMs now);
  // What was found under that consent for these regions, chunks aside, with so many decoys.
  [[nodiscard]] std::optional<RegionQuote> find(const GrantId& index, const consent::Scope& regions,
                                                std::uint32_t decoys, os::UnixMs now);
  // What was found for exactly this scope of the object, seen as a holder sees it.
  [[nodiscard]] std::optional<RegionCuts> find(const ObjectId& object, const consent::Scope& scope,
                                               os::UnixMs now);

 private:
  struct Kept {
    RegionQuote quote;
    os::UnixMs since;
  };
  void forget_old(os::UnixMs now);  // needs mutex_
  std::mutex mutex_;
  std::list<Kept> kept_;  // the newest first
};

}  // namespace warifu::control
