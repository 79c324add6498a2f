// Records of 48 bytes, two files in turn.
#include "keypool/trail.h"

#include <algorithm>

#include "wire/wire.h"

namespace warifu::keypool {
namespace {

constexpr std::size_t kRecordBytes = 48;
constexpr std::size_t kMostWaiting = 1 << 16;  // when nobody flushes, or the disk refuses

void encode(const TrailRecord& record, Bytes& out) {
  wire::Writer writer;
  writer.i64(record.time.value);
  writer.u64(record.begin.value);
  writer.u64(record.length.value);
  writer.id(record.job);
  writer.u8(static_cast<std::uint8_t>(record.use));
  writer.raw(Bytes(3));
  writer.checksum();
  out.insert(out.end(), writer.bytes().begin(), writer.bytes().end());
}

std::optional<TrailRecord> decode(ByteView bytes) {
  wire::Reader reader(bytes, "trail record");
  TrailRecord record;
  record.time = {reader.i64()};
  record.begin = {reader.u64()};
  record.length = {reader.u64()};
  record.job = reader.id<JobId>();
  const std::uint8_t use = reader.u8();
  (void)reader.raw(3);
  (void)reader.u32();  // the checksum
  if (!reader.finish() || !wire::before_checksum(bytes)) return std::nullopt;
  if (use < 1 || use > static_cast<std::uint8_t>(TrailUse::kUntold)) return std::nullopt;
  record.use = static_cast<TrailUse>(use);
  return record;
}

}  // namespace

std::string_view trail_use_name(TrailUse use) {
  switch (use) {
    case TrailUse::kControl: return "control";
    case TrailUse::kBulk: return "bulk";
    case TrailUse::kShare: return "share";
    case TrailUse::kRandom: return "random";
    case TrailUse::kApplication: return "application";
    case TrailUse::kBurnt: return "burnt";
    case TrailUse::kUntold: return "untold";
  }
  return "untold";
}

Trail::Trail(os::FileSystem& files, std::string dir, std::uint64_t limit_bytes)
    : files_(files),
      path_(std::move(dir) + "/trail"),
      half_bytes_(std::max<std::uint64_t>(limit_bytes / 2, kRecordBytes)) {}

Trail::~Trail() {
  if (const auto flushed = flush(); !flushed) return;  // a note for people; the pool is what counts
}

void Trail::start(PadOffset mark, os::UnixMs now) {
  PadOffset told;
  bool readable = true;
  for (const std::string& path : {path_ + ".old", path_}) {
    const auto records = read_file(path);
    readable = readable && records;
    if (!records) continue;
    for (const TrailRecord& record : *records) told = std::max(told, record.begin + record.length);
  }
  if (told < mark && readable) add({now, told, mark - told, {}, TrailUse::kUntold});
}

void Trail::add(const TrailRecord& record) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMostWaiting) {
    ++lost_;
    return;
  }
  waiting_.push_back(record);
}

Result<> Trail::flush() {
  const std::lock_guard lock(mutex_);
  return flush_locked();
}

Result<> Trail::flush_locked() {
  if (waiting_.empty()) return {};
  const std::vector<TrailRecord> records = std::exchange(waiting_, {});
  lost_ += records.size();  // until they are written
  std::size_t at = 0;
  while (at < records.size()) {
    if (file_ == nullptr) {
      TRY_ASSIGN(file_, files_.open(path_, os::OpenMode::kOpenOrCreate));
      TRY_ASSIGN(const std::uint64_t size, file_->size());
      size_ = size / kRecordBytes * kRecordBytes;  // over the rest of a torn record
    }
    if (size_ + kRecordBytes > half_bytes_) {
      TRY(rotate());
      continue;
    }
    Bytes bytes;
    for (; at < records.size() && size_ + bytes.size() + kRecordBytes <= half_bytes_; ++at) {
      encode(records[at], bytes);
    }
    TRY(file_->write_at(size_, bytes));
    size_ += bytes.size();
    lost_ -= bytes.size() / kRecordBytes;
  }
  return {};
}

Result<> Trail::rotate() {
  file_.reset();
  return files_.rename(path_, path_ + ".old");
}

Result<std::vector<TrailRecord>> Trail::read_file(const std::string& path) {
  std::vector<TrailRecord> records;
  if (!files_.exists(path)) return records;
  TRY_ASSIGN(const auto file, files_.open(path, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  Bytes bytes(1365 * kRecordBytes);
  for (std::uint64_t at = 0; at < size; at += bytes.size()) {
    TRY_ASSIGN(const std::size_t got, file->read_at(at, bytes));
    for (std::size_t i = 0; i + kRecordBytes <= got; i += kRecordBytes) {
      if (auto record = decode(ByteView(bytes).subspan(i, kRecordBytes))) {
        records.push_back(*record);
      }
    }
  }
  return records;
}

Result<std::vector<TrailRecord>> Trail::read(const TrailQuery& query) {
  const std::lock_guard lock(mutex_);
  TRY(flush_locked());
  TRY_ASSIGN(std::vector<TrailRecord> all, read_file(path_ + ".old"));
  TRY_ASSIGN(const std::vector<TrailRecord> newer, read_file(path_));
  all.insert(all.end(), newer.begin(), newer.end());
  std::erase_if(all, [&](const TrailRecord& record) {
    return record.time < query.from || (query.job && record.job != *query.job);
  });
  if (all.size() > query.most) {
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(query.most));
  }
  return all;
}

std::uint64_t Trail::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace warifu::keypool
