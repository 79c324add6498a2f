// Bundles as bytes, and the check that any change of a share breaks.
#include "recovery/bundle.h"

#include "sharing/guarded.h"
#include "wire/wire.h"

namespace warifu::recovery {
namespace {

constexpr std::string_view kMagic = "WRFCATB1";

Bytes encode_head(const Bundle& bundle) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.id(bundle.place.catalog);
  writer.u32(bundle.place.epoch);
  writer.u32(bundle.place.number);
  writer.u8(bundle.ends ? 1 : 0);
  writer.i64(bundle.made.value);
  writer.u32(bundle.page_bytes);
  writer.u64(bundle.total_pages);
  writer.u32(static_cast<std::uint32_t>(bundle.pages.size()));
  return writer.take();
}

}  // namespace

secret::Buffer guard(const Bundle& bundle, os::Random& random) {
  WARIFU_CHECK(bundle.root_key.size() == kRootKeyBytes && bundle.pages.size() <= kBundlePages);
  const Bytes head = encode_head(bundle);
  std::vector<Bytes> numbers;
  numbers.reserve(bundle.pages.size());
  std::vector<ByteView> pieces = {head, bundle.root_key.bytes()};
  for (const Bundle::Page& page : bundle.pages) {
    WARIFU_CHECK(page.bytes.size() == bundle.page_bytes);
    wire::Writer number;
    number.u64(page.number);
    pieces.push_back(numbers.emplace_back(number.take()));
    pieces.push_back(page.bytes);
  }
  return sharing::guard(pieces, random);
}

Result<Bundle> open_guarded(ByteView guarded) {
  if (guarded.size() > kMaxGuardedBytes) {
    return fail(Code::kCorrupt, "a copy of the catalog has an impossible length");
  }
  const auto plain = sharing::open_guarded(guarded);
  if (!plain) return fail_in("a copy of the catalog", plain.error());
  wire::Reader reader(*plain, "a copy of the catalog");
  Bundle bundle;
  if (as_text(reader.raw(kMagic.size())) != kMagic) reader.reject("wrong magic");
  bundle.place.catalog = reader.id<CatalogId>();
  bundle.place.epoch = reader.u32();
  bundle.place.number = reader.u32();
  bundle.ends = reader.u8() != 0;
  bundle.made = {reader.i64()};
  bundle.page_bytes = reader.u32();
  bundle.total_pages = reader.u64();
  const std::uint32_t count = reader.u32();
  if (bundle.page_bytes > kMaxPageBytes || count > kBundlePages) reader.reject("impossible pages");
  bundle.root_key = secret::Buffer::copy_of(reader.raw(kRootKeyBytes));
  for (std::uint32_t i = 0; reader.good() && i < count; ++i) {
    Bundle::Page page{.number = reader.u64()};
    const ByteView bytes = reader.raw(bundle.page_bytes);
    page.bytes.assign(bytes.begin(), bytes.end());
    bundle.pages.push_back(std::move(page));
  }
  if (const auto read = reader.finish(); !read) return fail(Code::kCorrupt, read.error().message);
  return bundle;
}

}  // namespace warifu::recovery
