// Shares of card records that a site keeps for the day when a card is lost.
//
//   DIR/<object id>.record := "WRFSAFE1" kept:blob crc32c:u32        kept: as request 75 carries it
//
// One share for an object; another one takes its place as a whole. A share by itself tells nothing,
// so it is not sealed. A damaged file is a problem and as if it was not there. Thread-safe.
#pragma once

#include <map>
#include <mutex>

#include "custody/messages.h"
#include "os/system.h"

namespace warifu::custody {

class RecordSafe {
 public:
  // Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<RecordSafe>> open(os::System system,
                                                                const std::string& dir);

  // Durable on return. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> put(const KeptShare& kept);
  // Errors: kNotFound, kCorrupt, kIo.
  [[nodiscard]] Result<KeptShare> get(const ObjectId& object);
  // What is not there: no error. Errors: kIo.
  [[nodiscard]] Result<> forget(const ObjectId& object);
  [[nodiscard]] std::uint64_t count() const;
  // Whose record it is, without reading it. Errors: kNotFound.
  [[nodiscard]] Result<Pseudonym> owner(const ObjectId& object) const;
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  RecordSafe(os::System system, std::string dir) : system_(system), dir_(std::move(dir)) {}
  [[nodiscard]] std::string path_of(const ObjectId& object) const;
  [[nodiscard]] Result<KeptShare> read(const std::string& path) const;

  os::System system_;
  const std::string dir_;
  mutable std::mutex mutex_;
  std::map<ObjectId, Pseudonym> kept_;
  std::vector<std::string> problems_;
};

}  // namespace warifu::custody
