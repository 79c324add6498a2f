// Writer and reader of the directory store. Internal to `store`.
//
// The writer tells its store through WriterRoom which bytes it still has to write and when it is
// gone; the store hands out one writer per share.
#pragma once

#include <map>
#include <mutex>

#include "store/directory_files.h"
#include "store/record_check.h"
#include "store/share_store.h"

namespace warifu::store {

// Which shares have an open writer, and the bytes that each has still to write. Thread-safe.
class WriterRoom {
 public:
  // False when the share has a writer already.
  [[nodiscard]] bool enter(const ShareId& share, std::uint64_t bytes_to_write);
  void leave(const ShareId& share);
  void set(const ShareId& share, std::uint64_t bytes_to_write);
  [[nodiscard]] bool holds(const ShareId& share);
  [[nodiscard]] std::uint64_t promised_bytes();
  // A writer has committed this share.
  void note_committed(const ShareHeader& header);
  // Those since the last call.
  [[nodiscard]] std::vector<ShareHeader> take_committed();

 private:
  std::mutex mutex_;
  std::map<ShareId, std::uint64_t> open_;
  std::vector<ShareHeader> committed_;
};

// A writer's place in the room.
class RoomPlace {
 public:
  RoomPlace(WriterRoom& room, const ShareId& share) : room_(&room), share_(share) {}
  ~RoomPlace() {
    if (room_ != nullptr) room_->leave(share_);
  }
  RoomPlace(RoomPlace&& other) noexcept
      : room_(std::exchange(other.room_, nullptr)), share_(other.share_) {}
  RoomPlace(const RoomPlace&) = delete;
  RoomPlace& operator=(const RoomPlace&) = delete;
  RoomPlace& operator=(RoomPlace&&) = delete;
  void set(std::uint64_t bytes_to_write) { room_->set(share_, bytes_to_write); }
  void note_committed(const ShareHeader& header) { room_->note_committed(header); }

 private:
  WriterRoom* room_;
  ShareId share_;
};

class DirectoryWriter final : public ShareWriter {
 public:
  // `file` is the .part, `committed_path` the name that commit() gives it.
  DirectoryWriter(os::FileSystem& files, HeaderFile file, std::string committed_path,
                  RoomPlace place);
  // Drops what lies behind the last durable record. Call once before use. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> recover();

  const ShareHeader& header() const override { return file_.header(); }
  const ShareLayout& layout() const override { return layout_; }
  ChunkIndex next_chunk() const override { return {next_}; }
  std::uint64_t durable_chunks() const override { return durable_; }
  Result<> append(ByteView record) override;
  Result<> sync() override;
  Result<> truncate_to(ChunkIndex chunk) override;
  Result<> commit() override;
  Result<> abandon() override;

 private:
  [[nodiscard]] Result<> check_open() const;
  void set_next(std::uint64_t chunk);
  void finish();

  os::FileSystem& files_;
  HeaderFile file_;
  std::string committed_path_;
  std::optional<RoomPlace> place_;  // until the writer is finished
  ShareLayout layout_;
  std::optional<RecordChecker> checker_;
  std::uint64_t next_ = 0;
  std::uint64_t durable_ = 0;
};

class DirectoryReader final : public ShareReader {
 public:
  // Damage that is met is told to `watch`.
  DirectoryReader(HeaderFile file, DamageWatch watch);
  const ShareHeader& header() const override { return file_.header(); }
  const ShareLayout& layout() const override { return layout_; }
  const std::string& header_damage() const override { return file_.damage(); }
  Result<> read(ChunkIndex first, std::uint64_t count, MutableBytes out) override;
  Result<> verify(ChunkIndex chunk, MutableBytes record) override;

 private:
  // Reads one record and holds it against its check.
  Result<> read_checked(ChunkIndex chunk, MutableBytes out);
  Result<> check_gap(ChunkIndex chunk);
  // kCorrupt is damage, and told.
  Result<> told(Result<> outcome);

  HeaderFile file_;
  ShareLayout layout_;
  std::optional<RecordChecker> checker_;
  DamageWatch watch_;
};

// Errors: kCorrupt naming the file when its size or its mark says that records are missing.
[[nodiscard]] Result<> check_complete(HeaderFile& file);

}  // namespace warifu::store
