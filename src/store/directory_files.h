// The files of a directory store: names, and the two header slots.
//
//   <root>/<share id>.share   committed
//   <root>/<share id>.part    partial: header slots and the records so far
//   <root>/<share id>.new     a .part that is being made; removed at the next start
//
// The newer valid slot counts. A slot is written only while the other one is durable and valid, so
// a torn write costs nothing. write_both() leaves both slots with the same words, so that damage of
// one loses nothing; advance() writes one slot only, for words whose older version stays true.
// Thread rule: none of its own; the callers see to it that one thread at a time uses a HeaderFile.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "os/files.h"
#include "store/share_header.h"

namespace warifu::store {

inline constexpr std::string_view kCommittedEnding = ".share";
inline constexpr std::string_view kPartialEnding = ".part";
inline constexpr std::string_view kNewEnding = ".new";

// The share whose file has this name and ending; none when the name is another one.
[[nodiscard]] std::optional<ShareId> share_of_name(std::string_view name, std::string_view ending);

// A share file whose header has been read.
class HeaderFile {
 public:
  // Reads both slots. Errors: kNotFound, kCorrupt when no slot is good or the file holds another
  // share than its name says, kIo.
  [[nodiscard]] static Result<HeaderFile> open(os::FileSystem& files, const std::string& path,
                                               const ShareId& share, os::OpenMode mode);
  // A new file at `path` with `header` in both slots, synced. On error nothing is left.
  [[nodiscard]] static Result<HeaderFile> create(os::FileSystem& files, const std::string& path,
                                                 const ShareHeader& header);

  [[nodiscard]] os::File& file() { return *file_; }
  [[nodiscard]] const ShareHeader& header() const { return newest_.header; }
  [[nodiscard]] std::uint64_t durable_chunks() const { return newest_.durable_chunks; }
  // What is wrong with the slot that does not count; empty when both are good.
  [[nodiscard]] const std::string& damage() const { return damage_; }

  // Durable on return. `durable_chunks` may only grow. Errors: kNoSpace, kIo; the old words stay.
  [[nodiscard]] Result<> advance(std::uint64_t durable_chunks);
  // Durable on return, in both slots. Errors: kNoSpace, kIo; old or new words are then in force.
  [[nodiscard]] Result<> write_both(const ShareHeader& header, std::uint64_t durable_chunks);

 private:
  HeaderFile(std::unique_ptr<os::File> file, HeaderSlot newest, std::size_t newest_at)
      : file_(std::move(file)), newest_(std::move(newest)), newest_at_(newest_at) {}
  // Writes the slot that does not count and syncs; it counts from then on.
  [[nodiscard]] Result<> write_other(HeaderSlot next);

  std::unique_ptr<os::File> file_;
  HeaderSlot newest_;
  std::size_t newest_at_;  // 0 or 1
  std::string damage_;
};

}  // namespace warifu::store
