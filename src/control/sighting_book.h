// Which sites have seen which places of an object's policy, as far as this site knows by its own
// part in it: a catalog that is rebuilt from shares alone could not know otherwise, and might lead
// a second share of the object over such a site. Noted are
//   - what this site held and holds no more, before it is deleted. Where the site keeps another
//     share of the object (the next generation, or the same one made anew) there is no need: that
//     says more;
//   - what this site joined out of parts on the way of a restore, before it gets the first;
//   - the sites that passed on what came to this site or leaves it, and whoever joins what leaves
//     it, before the first byte is taken or given.
// The destination of a restore and the origin of a store are left aside, as the ledger leaves them.
//
//   file := as store/record_file.h, of records object:16 generation:u32 place:10 site:16 crc32c:u32
//
// Thread-safe.
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

struct NotedSighting {
  ObjectId object;
  std::uint32_t generation = 1;
  sharing::SharePath place;
  SiteName site;  // that has seen it
  auto operator<=>(const NotedSighting&) const = default;
};

inline constexpr std::size_t kMostNotedSightings = 1000;  // in a message

class SightingBook {
 public:
  // Errors: kCorrupt naming file and record, kIo.
  [[nodiscard]] static Result<std::unique_ptr<SightingBook>> open(os::FileSystem& files,
                                                                  const std::string& path);
  // Durable; again: nothing. Errors: kIo, kNoSpace.
  [[nodiscard]] Result<> add(const NotedSighting& sighting);
  // Ascending, behind `after`, or from the first.
  [[nodiscard]] std::vector<NotedSighting> list(const std::optional<NotedSighting>& after,
                                                std::size_t most) const;

 private:
  SightingBook(store::RecordFile file, std::set<NotedSighting> sightings)
      : file_(std::move(file)), sightings_(std::move(sightings)) {}

  mutable std::mutex mutex_;
  store::RecordFile file_;
  std::set<NotedSighting> sightings_;
};

// As docs/formats/site-requests.md says, number 94.
[[nodiscard]] Bytes encode(const std::vector<NotedSighting>& sightings);
[[nodiscard]] Result<std::vector<NotedSighting>> decode_noted_sightings(ByteView body);
// All of them at a site, this one or another. Errors: those of the way; kProtocol when they do not
// come in order.
[[nodiscard]] Result<std::vector<NotedSighting>> sightings_at(SiteContext& site,
                                                              const SightingBook& own,
                                                              const SiteName& at);
// What this site knows of one object: what it noted, and every place that it holds or has a
// beginning of, of any generation. Errors: the store's.
[[nodiscard]] Result<std::vector<NotedSighting>> sightings_here(SiteContext& site,
                                                                const SightingBook& own,
                                                                const ObjectId& object);
// The same of a site, this one or another: docs/formats/site-requests.md, number 82. Errors: those
// of the way and of its store.
[[nodiscard]] Result<std::vector<NotedSighting>> sightings_of_object(SiteContext& site,
                                                                     const SightingBook& own,
                                                                     const SiteName& at,
                                                                     const ObjectId& object);
// Answers such questions of share control.
void add_sightings_handler(channel::Server& server, SiteContext& site, const SightingBook& own);

}  // namespace warifu::control
