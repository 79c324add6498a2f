// What this site has helped to bring to other sites: which place of an object's policy went where,
// by a move from here or a repair out of a share from here. Kept for ever, so that share control
// cannot bring a second share of the object to the same site with this site's help, nor with the
// help of a sibling that asks here first.
//
//   file := as store/record_file.h, of records object:16 site:16 path:10 crc32c:u32     46 bytes
//
// A record is durable before a byte is given. A file of the earlier format, which could name no
// share deeper than one cut below the object's, is refused. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "store/record_file.h"
#include "upkeep/orders.h"

namespace warifu::upkeep {

class GivenRecord {
 public:
  // Errors: kCorrupt naming file and record, kIo.
  [[nodiscard]] static Result<std::unique_ptr<GivenRecord>> open(os::FileSystem& files,
                                                                 const std::string& path);

  // Errors: kRefused when another place of the object went to that site.
  [[nodiscard]] Result<> check(const ObjectId& object, const sharing::SharePath& place,
                               const SiteName& to) const;
  // check(), and the record, durable. Errors: kRefused, kIo, kNoSpace.
  [[nodiscard]] Result<> add(const ObjectId& object, const sharing::SharePath& place,
                             const SiteName& to);

 private:
  using Key = std::pair<ObjectId, SiteName>;
  using Places = std::map<Key, std::set<sharing::SharePath>>;
  GivenRecord(store::RecordFile file, Places given)
      : file_(std::move(file)), given_(std::move(given)) {}
  Result<> check_locked(const Key& key, const sharing::SharePath& place) const;

  mutable std::mutex mutex_;
  store::RecordFile file_;
  Places given_;
};

}  // namespace warifu::upkeep
