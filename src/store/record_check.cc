// The hash of one record.
#include "store/record_check.h"

#include "wire/wire.h"

namespace warifu::store {

CheckKey RecordChecker::check_of(ChunkIndex index, ByteView record) const {
  WARIFU_CHECK(record.size() % kWordBytes == 0);
  wire::Writer place;
  place.u64(index.value);
  place.u32(static_cast<std::uint32_t>(record.size()));
  place.raw(as_bytes("CHK1"));
  mac::Hasher hasher(key_);
  hasher.update(place.bytes());
  hasher.update(record);
  return hasher.finish();
}

}  // namespace warifu::store
