// Which places of an object's policy this site has held and holds no more: a catalog that is
// rebuilt from shares alone could not know otherwise who has seen what, and might lead a second
// share of the object over such a site.
//
//   file := as store/record_file.h, of records object:16 path:10 generation:u32 crc32c:u32  34
//   bytes
//
// A record is durable before the share is deleted: of one that a crash tore the share is still
// there. Where the site keeps another share of the object (the next generation, or the same one
// made anew) there is none: that says more. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "channel/server.h"
#include "sharing/share_path.h"
#include "store/record_file.h"

namespace warifu::control {

struct SiteContext;

struct PastShare {
  ObjectId object;
  std::uint32_t generation = 1;
  sharing::SharePath place;
  auto operator<=>(const PastShare&) const = default;
};

inline constexpr std::size_t kMostPastShares = 1000;  // in a message

class PastShares {
 public:
  // Errors: kCorrupt naming file and record, kIo.
  [[nodiscard]] static Result<std::unique_ptr<PastShares>> open(os::FileSystem& files,
                                                                const std::string& path);
  // Durable; again: nothing. Errors: kIo, kNoSpace.
  [[nodiscard]] Result<> add(const PastShare& share);
  // Ascending, behind `after`, or from the first.
  [[nodiscard]] std::vector<PastShare> list(const std::optional<PastShare>& after,
                                            std::size_t most) const;

 private:
  PastShares(store::RecordFile file, std::set<PastShare> shares)
      : file_(std::move(file)), shares_(std::move(shares)) {}

  mutable std::mutex mutex_;
  store::RecordFile file_;
  std::set<PastShare> shares_;
};

// As docs/formats/site-requests.md says, number 94.
[[nodiscard]] Bytes encode(const std::vector<PastShare>& shares);
[[nodiscard]] Result<std::vector<PastShare>> decode_past_shares(ByteView body);
// All of them at a site, this one or another. Errors: those of the way; kProtocol when they do not
// come in order.
[[nodiscard]] Result<std::vector<PastShare>> past_shares_at(SiteContext& site,
                                                            const PastShares& own,
                                                            const SiteName& at);
// Answers such questions of share control.
void add_past_handler(channel::Server& server, SiteContext& site, const PastShares& own);

}  // namespace warifu::control
