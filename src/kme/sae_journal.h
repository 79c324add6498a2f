// One file of the application keys' journal: frames that are appended and synced, each key sealed
// under the file's own random key (docs/formats/sae-keys.md).
//
// Invariants: a frame counts only when it is whole; only the last frame of a file can be torn,
// because the next one is written after its sync and in other blocks. A file is never written again
// after it was opened for reading: live keys go to the next file, under a new key, and the old one
// is removed, so what was burnt is forgotten (SaeStore).
// Thread rule: append() and seal() by one thread at a time; open_key() by any number beside it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "os/system.h"
#include "secret/secret.h"

namespace warifu::kme {

class SaeJournal {
 public:
  static constexpr std::size_t kMaxFrameBytes = 64 << 20;

  // The numbers of the journals in `dir`, ascending.
  [[nodiscard]] static Result<std::vector<std::uint64_t>> numbers(os::FileSystem& files,
                                                                  const std::string& dir);
  // Removes the journals below `number`, durably, and what was left unfinished. Errors: kIo.
  [[nodiscard]] static Result<> remove_older(os::FileSystem& files, const std::string& dir,
                                             std::uint64_t number);
  // Makes the file under a temporary name; publish() gives it its own.
  [[nodiscard]] static Result<std::unique_ptr<SaeJournal>> create(os::System system,
                                                                  const std::string& dir,
                                                                  std::uint64_t number,
                                                                  ByteView root_key);
  // Opens a file and hands up each whole frame and the place of its payload. Errors: kCorrupt when
  // something whole stands behind what is damaged; the first error of `each`.
  using OnFrame = std::function<Result<>(ByteView payload, std::uint64_t at)>;
  [[nodiscard]] static Result<std::unique_ptr<SaeJournal>> load(os::System system,
                                                                const std::string& dir,
                                                                std::uint64_t number,
                                                                ByteView root_key,
                                                                const OnFrame& each);

  // Seals under the next index of this file, which is returned.
  struct Sealed {
    std::uint64_t index = 0;
    Bytes bytes;
  };
  [[nodiscard]] Sealed seal(ByteView key);
  // Opens what stands at `at` of the file. Errors: kCorrupt, kIo.
  [[nodiscard]] Result<secret::Buffer> open_key(std::uint64_t at, std::uint64_t index,
                                                std::size_t size) const;

  // Writes a frame; returns the place of its payload. Durable after sync(). Errors: kNoSpace, kIo;
  // the next frame then takes this one's place.
  [[nodiscard]] Result<std::uint64_t> append(ByteView payload);
  void sync();
  // Syncs and gives the file its name, durably.
  [[nodiscard]] Result<> publish();

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::uint64_t bytes() const { return end_; }
  // Such a file had everything from its beginning.
  [[nodiscard]] bool is_first_version() const { return first_version_; }

 private:
  SaeJournal(os::System system, std::string dir, std::uint64_t number)
      : system_(system), dir_(std::move(dir)), number_(number) {}
  [[nodiscard]] static std::string name_of(std::uint64_t number);
  Result<> read_header(ByteView root_key);
  Result<> read_frames(const OnFrame& each);
  // The payload of the frame at `at`; none when there is no whole frame with this sequence.
  Result<std::optional<Bytes>> frame_at(std::uint64_t at, std::uint64_t size,
                                        std::uint64_t sequence);
  Result<> check_tail(std::uint64_t at, std::uint64_t size);

  os::System system_;
  std::string dir_;
  std::uint64_t number_;
  secret::Buffer key_;
  std::unique_ptr<os::File> file_;
  std::unique_ptr<os::File> reader_;
  std::uint64_t end_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t next_index_ = 0;
  bool first_version_ = false;
};

}  // namespace warifu::kme
