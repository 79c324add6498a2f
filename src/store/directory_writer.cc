// Receiving a share record by record, and reading it.
#include "store/directory_writer.h"

#include <algorithm>

#include "base/reason.h"

namespace warifu::store {

bool WriterRoom::enter(const ShareId& share, std::uint64_t bytes_to_write) {
  const std::lock_guard lock(mutex_);
  return open_.emplace(share, bytes_to_write).second;
}

void WriterRoom::leave(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  open_.erase(share);
}

void WriterRoom::set(const ShareId& share, std::uint64_t bytes_to_write) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(share);
  WARIFU_CHECK(found != open_.end());
  found->second = bytes_to_write;
}

bool WriterRoom::holds(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  return open_.contains(share);
}

std::uint64_t WriterRoom::promised_bytes() {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [share, bytes] : open_) sum += bytes;
  return sum;
}

void WriterRoom::note_committed(const ShareHeader& header) {
  const std::lock_guard lock(mutex_);
  committed_.push_back(header);
}

std::vector<ShareHeader> WriterRoom::take_committed() {
  const std::lock_guard lock(mutex_);
  return std::exchange(committed_, {});
}

DirectoryWriter::DirectoryWriter(os::FileSystem& files, HeaderFile file, std::string committed_path,
                                 RoomPlace place)
    : files_(files),
      file_(std::move(file)),
      committed_path_(std::move(committed_path)),
      place_(std::move(place)),
      layout_(file_.header()) {
  if (file_.header().has_checks()) checker_.emplace(file_.header().check_key);
}

Result<> DirectoryWriter::check_open() const {
  if (place_) return {};
  return fail(Code::kInvalidArgument,
              "the writer of share " + file_.header().share.text() + " is finished");
}

void DirectoryWriter::set_next(std::uint64_t chunk) {
  next_ = chunk;
  if (place_) place_->set(layout_.file_bytes() - layout_.record_offset({chunk}));
}

void DirectoryWriter::finish() {
  place_.reset();
}

Result<> DirectoryWriter::recover() {
  // The size alone says nothing after a power loss: a file may be longer than what was synced.
  TRY_ASSIGN(const std::uint64_t size, file_.file().size());
  const std::uint64_t keep = std::min(file_.durable_chunks(), layout_.whole_records(size));
  const std::uint64_t end = layout_.record_offset({keep});
  if (keep < file_.durable_chunks() || size > end) {
    // Both slots, because the other one may be left from a truncate_to() and promise more.
    TRY(file_.write_both(file_.header(), keep));
    TRY(file_.file().truncate(end));
  }
  durable_ = keep;
  set_next(keep);
  return {};
}

Result<> DirectoryWriter::append(ByteView record) {
  TRY(check_open());
  if (next_ == layout_.chunk_count()) {
    return fail(Code::kInvalidArgument, "share " + file_.header().share.text() +
                                            " has all of its " + std::to_string(next_) + " chunks");
  }
  const std::uint32_t length = layout_.record_length({next_});
  if (record.size() != length) {
    return fail(Code::kInvalidArgument, "record " + std::to_string(next_) + " of share " +
                                            file_.header().share.text() + " has " +
                                            std::to_string(length) + " bytes, not " +
                                            std::to_string(record.size()));
  }
  TRY(file_.file().write_at(layout_.record_offset({next_}), record));
  if (checker_) {
    TRY(file_.file().write_at(layout_.check_offset({next_}), checker_->check_of({next_}, record)));
  }
  set_next(next_ + 1);
  return {};
}

Result<> DirectoryWriter::sync() {
  TRY(check_open());
  if (durable_ == next_) return {};
  file_.file().sync();  // the records first, then the mark that promises them
  TRY(file_.advance(next_));
  durable_ = next_;
  return {};
}

Result<> DirectoryWriter::truncate_to(ChunkIndex chunk) {
  TRY(check_open());
  if (chunk.value > next_) {
    return fail(Code::kInvalidArgument,
                "share " + file_.header().share.text() + " has only " + std::to_string(next_) +
                    " chunks so far; it cannot be cut to " + std::to_string(chunk.value));
  }
  if (chunk.value < durable_) {
    // The mark goes back in both slots before other bytes may come where it pointed.
    durable_ = chunk.value;
    TRY(file_.write_both(file_.header(), chunk.value));
  }
  set_next(chunk.value);
  return file_.file().truncate(layout_.record_offset(chunk));
}

Result<> DirectoryWriter::commit() {
  TRY(check_open());
  if (next_ != layout_.chunk_count()) {
    return fail(Code::kInvalidArgument,
                "share " + file_.header().share.text() + " has " + std::to_string(next_) + " of " +
                    std::to_string(layout_.chunk_count()) + " chunks; it cannot be committed");
  }
  if (durable_ != next_) file_.file().sync();
  TRY(file_.write_both(file_.header(), next_));
  durable_ = next_;
  TRY(files_.rename(file_.file().path(), committed_path_));
  files_.sync_dir(os::parent_of(committed_path_));
  place_->note_committed(file_.header());
  finish();
  return {};
}

Result<> DirectoryWriter::abandon() {
  TRY(check_open());
  const std::string path = file_.file().path();
  TRY(files_.remove(path));
  files_.sync_dir(os::parent_of(path));
  finish();
  return {};
}

DirectoryReader::DirectoryReader(HeaderFile file, DamageWatch watch)
    : file_(std::move(file)), layout_(file_.header()), watch_(std::move(watch)) {
  if (header().has_checks()) checker_.emplace(header().check_key);
}

Result<> DirectoryReader::told(Result<> outcome) {
  if (!outcome && outcome.error().code == Code::kCorrupt && watch_) {
    watch_(header().share, error_text(outcome.error()));
  }
  return outcome;
}

Result<> DirectoryReader::read_checked(ChunkIndex chunk, MutableBytes out) {
  TRY(file_.file().read_exact_at(layout_.record_offset(chunk), out));
  if (!checker_) return {};
  CheckKey check;
  TRY(file_.file().read_exact_at(layout_.check_offset(chunk), check));
  if (checker_->check_of(chunk, out) == check) return {};
  return fail(Code::kCorrupt,
              "record " + std::to_string(chunk.value) + " of share " + header().share.text() +
                  " has rotted in '" + file_.file().path() + "': it does not match its check",
              Reason::kShareRotten);
}

Result<> DirectoryReader::check_gap(ChunkIndex chunk) {
  const std::uint64_t begin = layout_.gap_offset(chunk);
  const std::uint64_t end = layout_.record_offset({chunk.value + 1});
  WARIFU_CHECK(end - begin <= kDiskBlockBytes);
  std::array<Byte, kDiskBlockBytes> gap;
  const MutableBytes bytes = MutableBytes(gap).first(end - begin);
  TRY(file_.file().read_exact_at(begin, bytes));
  if (std::ranges::all_of(bytes, [](Byte byte) { return byte == 0; })) return {};
  return fail(Code::kCorrupt,
              "bytes behind record " + std::to_string(chunk.value) + " of share " +
                  header().share.text() + " in '" + file_.file().path() + "' are not zero",
              Reason::kShareRotten);
}

Result<> DirectoryReader::verify(ChunkIndex chunk, MutableBytes record) {
  WARIFU_CHECK(chunk.value < layout_.chunk_count());
  return told([&]() -> Result<> {
    TRY(read_checked(chunk, record.first(layout_.record_length(chunk))));
    return check_gap(chunk);
  }());
}

Result<> DirectoryReader::read(ChunkIndex first, std::uint64_t count, MutableBytes out) {
  const std::uint64_t chunks = layout_.chunk_count();
  if (first.value > chunks || count > chunks - first.value) {
    return fail(Code::kInvalidArgument, "chunks " + std::to_string(first.value) + " and " +
                                            std::to_string(count) + " on are not all in share " +
                                            header().share.text() + ", which has " +
                                            std::to_string(chunks));
  }
  const std::uint64_t length = layout_.records_length(first, count);
  if (out.size() != length) {
    return fail(Code::kInvalidArgument, "the records wanted of share " + header().share.text() +
                                            " have " + std::to_string(length) + " bytes, not " +
                                            std::to_string(out.size()));
  }
  for (std::uint64_t chunk = first.value; chunk < first.value + count; ++chunk) {
    const std::uint32_t size = layout_.record_length({chunk});
    TRY(told(read_checked({chunk}, out.first(size))));
    out = out.subspan(size);
  }
  return {};
}

Result<> check_complete(HeaderFile& file) {
  const std::string& path = file.file().path();
  const ShareLayout layout(file.header());
  TRY_ASSIGN(const std::uint64_t size, file.file().size());
  if (size != layout.file_bytes()) {
    return fail(Code::kCorrupt,
                "share file '" + path + "' is damaged: it has " + std::to_string(size) +
                    " bytes instead of " + std::to_string(layout.file_bytes()),
                Reason::kShareLength);
  }
  if (file.durable_chunks() != layout.chunk_count()) {
    return fail(Code::kCorrupt,
                "share file '" + path + "' is damaged: only " +
                    std::to_string(file.durable_chunks()) + " of " +
                    std::to_string(layout.chunk_count()) + " chunks were received",
                Reason::kShareLength);
  }
  return {};
}

}  // namespace warifu::store
