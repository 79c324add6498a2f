// The file of records.
#include "upkeep/given_record.h"

namespace warifu::upkeep {
namespace {

constexpr std::size_t kBodyBytes = 42;
constexpr std::size_t kOldRecordBytes = 38;

// Records of another length would look like damage.
Result<> refuse_old_format(os::FileSystem& files, const std::string& path) {
  if (!files.exists(path)) return {};
  TRY_ASSIGN(const auto file, files.open(path, os::OpenMode::kRead));
  Bytes first(kOldRecordBytes);
  TRY_ASSIGN(const std::size_t read, file->read_at(0, first));
  if (read < first.size() || !wire::before_checksum(first)) return {};
  return fail(Code::kCorrupt, "'" + path +
                                  "' is of an earlier format (records of 38 bytes), which this "
                                  "program does not read");
}

}  // namespace

Result<std::unique_ptr<GivenRecord>> GivenRecord::open(os::FileSystem& files,
                                                       const std::string& path) {
  TRY(refuse_old_format(files, path));
  Places given;
  const auto take = [&](ByteView body) -> Result<> {
    wire::Reader reader(body, "record of what was given");
    const auto object = reader.id<ObjectId>();
    const SiteName site = reader.site();
    const sharing::SharePath place = sharing::read_path(reader);
    TRY(reader.finish());
    given[{object, site}].insert(place);
    return {};
  };
  TRY_ASSIGN(auto file,
             store::RecordFile::open(
                 files, path, {kBodyBytes, "what this site has given away cannot be told"}, take));
  return std::unique_ptr<GivenRecord>(new GivenRecord(std::move(file), std::move(given)));
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
  if (const auto known = given_.find({object, to}); known != given_.end()) {
    if (known->second.contains(place)) return {};
  }
  wire::Writer writer;
  writer.id(object);
  writer.site(to);
  sharing::write_path(writer, place);
  TRY(file_.add(writer.bytes()));
  given_[{object, to}].insert(place);
  return {};
}

}  // namespace warifu::upkeep
