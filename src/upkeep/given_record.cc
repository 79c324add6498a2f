// The file of records.
#include "upkeep/given_record.h"

namespace warifu::upkeep {
namespace {
constexpr std::size_t kRecordBytes = 46;
constexpr std::size_t kOldRecordBytes = 38;
}  // namespace

Result<std::unique_ptr<GivenRecord>> GivenRecord::open(os::FileSystem& files,
                                                       const std::string& path) {
  TRY_ASSIGN(auto file, files.open(path, os::OpenMode::kOpenOrCreate));
  std::unique_ptr<GivenRecord> record(new GivenRecord(std::move(file)));
  TRY(record->load());
  files.sync_dir(os::parent_of(path));
  return record;
}

Result<> GivenRecord::load() {
  TRY_ASSIGN(const std::uint64_t size, file_->size());
  Bytes old(kOldRecordBytes);
  if (size >= old.size()) {
    TRY(file_->read_exact_at(0, old));
    if (wire::before_checksum(old)) {
      return fail(Code::kCorrupt, "'" + file_->path() +
                                      "' is of an earlier format (records of 38 bytes), which this "
                                      "program does not read");
    }
  }
  Bytes bytes(kRecordBytes);
  for (; end_ + kRecordBytes <= size; end_ += kRecordBytes) {
    TRY(file_->read_exact_at(end_, bytes));
    const auto body = wire::before_checksum(bytes);
    if (!body) {
      if (end_ + kRecordBytes == size) break;  // the last write was torn: nothing was given for it
      return fail(Code::kCorrupt, "'" + file_->path() + "' is damaged at byte " +
                                      std::to_string(end_) +
                                      ": what this site has given away cannot be told");
    }
    wire::Reader reader(*body, "record of what was given");
    const auto object = reader.id<ObjectId>();
    const SiteName site = reader.site();
    const sharing::SharePath place = sharing::read_path(reader);
    TRY(reader.finish());
    given_[{object, site}].insert(place);
  }
  return end_ == size ? Result<>() : file_->truncate(end_);
}

Result<> GivenRecord::check_locked(const Key& key, const sharing::SharePath& place) const {
  const auto known = given_.find(key);
  if (known == given_.end()) return {};
  for (const sharing::SharePath& other : known->second) {
    if (other == place) continue;
    return fail(Code::kRefused, key.second.text() + " has been given another share of object " +
                                    key.first.text() + " already");
  }
  return {};
}

Result<> GivenRecord::check(const ObjectId& object, const sharing::SharePath& place,
                            const SiteName& to) const {
  const std::lock_guard lock(mutex_);
  return check_locked({object, to}, place);
}

Result<> GivenRecord::add(const ObjectId& object, const sharing::SharePath& place,
                          const SiteName& to) {
  const std::lock_guard lock(mutex_);
  TRY(check_locked({object, to}, place));
  auto& places = given_[{object, to}];
  if (places.contains(place)) return {};
  wire::Writer writer;
  writer.id(object);
  writer.site(to);
  sharing::write_path(writer, place);
  writer.checksum();
  TRY(file_->write_at(end_, writer.bytes()));
  file_->sync();
  end_ += kRecordBytes;
  places.insert(place);
  return {};
}

}  // namespace warifu::upkeep
