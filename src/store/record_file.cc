// Reading all, adding one.
#include "store/record_file.h"

#include "wire/wire.h"

namespace warifu::store {

Result<RecordFile> RecordFile::open(os::FileSystem& files, const std::string& path, Format format,
                                    const Take& take) {
  WARIFU_CHECK(format.body_bytes > 0);
  TRY_ASSIGN(auto file, files.open(path, os::OpenMode::kOpenOrCreate));
  RecordFile records(std::move(file), format.body_bytes);
  TRY(records.load(format.loss, take));
  files.sync_dir(os::parent_of(path));
  return records;
}

Result<> RecordFile::load(const std::string& loss, const Take& take) {
  TRY_ASSIGN(const std::uint64_t size, file_->size());
  Bytes record(record_bytes());
  for (; end_ + record.size() <= size; end_ += record.size()) {
    TRY(file_->read_exact_at(end_, record));
    const auto body = wire::before_checksum(record);
    if (!body) {
      if (end_ + record.size() == size) break;  // torn: nobody has relied on it
      return fail(Code::kCorrupt, "'" + file_->path() + "' is damaged at byte " +
                                      std::to_string(end_) + ": " + loss);
    }
    TRY(take(*body));
  }
  return end_ == size ? Result<>() : file_->truncate(end_);
}

Result<> RecordFile::add(ByteView body) {
  WARIFU_CHECK(body.size() == body_bytes_);
  wire::Writer writer;
  writer.raw(body);
  writer.checksum();
  // What a write that failed has left is overwritten by the next one, or cut off at the start.
  TRY(file_->write_at(end_, writer.bytes()));
  file_->sync();
  end_ += record_bytes();
  return {};
}

}  // namespace warifu::store
