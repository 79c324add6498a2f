// What holders tell of shares of theirs by their headers, without any link for an audit: is it
// there, of which place and generation, and how long is its file. That costs a few bytes of key.
//
// It is the holder's word, and about headers: that the records behind them are right only an audit
// tells, and the holder's own scrubbing (docs/upkeep.md). Thread-safe.
#pragma once

#include <map>
#include <span>

#include "control/network_view.h"
#include "control/share_service.h"

namespace warifu::control {

enum class Presence : std::uint8_t {
  kAbsent,
  kWhole,       // committed; its header and its length are right
  kUnreadable,  // its file is there and cannot be read, or its header does not hold
};

struct ShareFacts {
  ShareId share;
  Presence presence = Presence::kAbsent;
  // Of a whole one:
  ObjectId object;
  sharing::SharePath path{sharing::ShareIndex::kA};
  std::uint32_t generation = 0;
  std::uint64_t record_bytes = 0;  // all its records
  bool operator==(const ShareFacts&) const = default;
};

inline constexpr std::size_t kMostFacts = 1000;  // in a message

// As docs/formats/site-requests.md says, number 89. At most kMostFacts.
[[nodiscard]] Bytes encode(std::span<const ShareFacts> facts);
[[nodiscard]] Result<std::vector<ShareFacts>> decode_share_facts(ByteView body);

// Of this site's own store; in the order of `shares`.
[[nodiscard]] std::vector<ShareFacts> facts_here(SiteContext& site,
                                                 std::span<const ShareId> shares);
// Errors: those of the way; kProtocol when the site answers something else.
[[nodiscard]] Result<std::map<ShareId, ShareFacts>> facts_at(SiteContext& site, const SiteName& at,
                                                             std::span<const ShareId> shares);
// Every one of these shares must be whole at its site, of that generation. Errors: kCorrupt naming
// the share that is not and its holder, those of the way.
[[nodiscard]] Result<> check_present(SiteContext& site, std::span<const catalog::Share> shares);
// Answers such questions.
void add_facts_handler(channel::Server& server, SiteContext& site);

}  // namespace warifu::control
