// Shares of copies of the catalog that a site keeps for the control site (DIR/catalog-copies), and
// the operator's leave to give them back.
//
//   DIR/EPOCH-NUMBER.copy := "WRFCOPY1" head:blob share crc32c:u32
//   DIR/leave             := until:i64 crc32c:u32         until then shares of copies may be read
//
// What is kept is of one catalog, and only of its epochs from the newest whole one on. Putting a
// bundle drops later ones of its epoch, which an attempt that broke off has left. Thread-safe.
#pragma once

#include <map>
#include <mutex>

#include "recovery/messages.h"

namespace warifu::recovery {

class CopyKeeper {
 public:
  // Errors: kIo. What is damaged, a share or the leave, is a problem, and as if it was not there.
  [[nodiscard]] static Result<std::unique_ptr<CopyKeeper>> open(os::System system,
                                                                const std::string& dir);

  // Durable on return. Errors: kRefused (copies of another catalog are kept here),
  // kInvalidArgument (the length, or a bundle before is missing), kNoSpace, kIo.
  [[nodiscard]] Result<> put(const CopyHead& head, ByteView share);
  // By place.
  [[nodiscard]] std::vector<CopyHead> list() const;
  // Errors: kRefused without leave, kNotFound, kCorrupt, kIo.
  [[nodiscard]] Result<secret::Buffer> get(const CopyPlace& place);

  // The operator's leave; a time in the past ends it. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> allow_until(os::UnixMs until);
  // None: no leave now. Errors of check_leave(): kRefused.
  [[nodiscard]] std::optional<os::UnixMs> allowed_until() const;
  [[nodiscard]] Result<> check_leave() const;
  // Drops everything, so that another catalog may be kept. Errors: kIo.
  [[nodiscard]] Result<> forget();
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  CopyKeeper(os::System system, std::string dir) : system_(system), dir_(std::move(dir)) {}
  [[nodiscard]] std::string path_of(const CopyPlace& place) const;
  Result<Bytes> read(const CopyPlace& place) const;
  Result<> drop(const CopyPlace& place);  // needs mutex_
  Result<> drop_superseded(const CopyPlace& ended);

  os::System system_;
  const std::string dir_;
  mutable std::mutex mutex_;
  std::map<CopyPlace, CopyHead> kept_;
  std::optional<os::UnixMs> leave_;
  std::vector<std::string> problems_;
};

}  // namespace warifu::recovery
