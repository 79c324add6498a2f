// Bundles as bytes, and the check that any change of a share breaks.
#include "recovery/bundle.h"

#include <algorithm>

#include "mac/mac.h"
#include "wire/wire.h"

namespace warifu::recovery {
namespace {

constexpr std::string_view kMagic = "WRFCATB1";
constexpr std::size_t kBlock = mac::kBlockBytes;
constexpr std::size_t kTrailer = 3 * kBlock;

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

// Over all blocks before the key.
mac::Tag check_of(ByteView blocks, ByteView key) {
  const mac::Key prepared(key);
  mac::Hasher hasher(prepared);
  Bytes top(2 * kBlock);
  top[0] = 1;  // the blocks 1 and 0 give key^(d+2) and nothing at key^(d+1)
  hasher.update(top);
  hasher.update(blocks);
  return hasher.finish();
}

// The length with padding and trailer of `bytes` that are to be guarded.
std::size_t guarded_size(std::size_t bytes) {
  const std::size_t blocks = (bytes + kBlock - 1) / kBlock;
  return (blocks | 1U) * kBlock + kTrailer;
}

}  // namespace

secret::Buffer guard(const Bundle& bundle, os::Random& random) {
  WARIFU_CHECK(bundle.root_key.size() == kRootKeyBytes && bundle.pages.size() <= kBundlePages);
  const Bytes head = encode_head(bundle);
  const std::size_t length =
      head.size() + kRootKeyBytes + bundle.pages.size() * (8 + bundle.page_bytes);
  secret::Buffer out(guarded_size(kBlock + length));  // zeros
  const MutableBytes all = out.bytes();
  std::size_t at = 0;
  const auto put = [&](ByteView bytes) {
    std::ranges::copy(bytes, all.begin() + static_cast<std::ptrdiff_t>(at));
    at += bytes.size();
  };
  wire::Writer size;
  size.u64(length);
  put(size.bytes());
  at = kBlock;
  put(head);
  put(bundle.root_key.bytes());
  for (const Bundle::Page& page : bundle.pages) {
    WARIFU_CHECK(page.bytes.size() == bundle.page_bytes);
    wire::Writer number;
    number.u64(page.number);
    put(number.bytes());
    put(page.bytes);
  }
  const MutableBytes key = all.subspan(all.size() - kTrailer, kBlock);
  random.fill(key);
  const mac::Tag check = check_of(all.first(all.size() - kTrailer), key);
  std::ranges::copy(check, all.end() - static_cast<std::ptrdiff_t>(2 * kBlock));
  return out;
}

Result<Bundle> open_guarded(ByteView guarded) {
  if (guarded.size() < kBlock + kTrailer || guarded.size() % (2 * kBlock) != 0 ||
      guarded.size() > kMaxGuardedBytes) {
    return fail(Code::kCorrupt, "a copy of the catalog has an impossible length");
  }
  const ByteView blocks = guarded.first(guarded.size() - kTrailer);
  const ByteView key = guarded.subspan(blocks.size(), kBlock);
  const ByteView check = guarded.subspan(blocks.size() + kBlock, kBlock);
  const bool padded = std::ranges::all_of(guarded.last(kBlock), [](Byte b) { return b == 0; });
  if (!padded || !secret::equal(check_of(blocks, key), check)) {
    return fail(Code::kCorrupt, "a copy of the catalog does not pass its check");
  }
  wire::Reader prefix(blocks.first(8), "a copy of the catalog");
  const std::uint64_t length = prefix.u64();
  if (length > blocks.size() - kBlock) {
    return fail(Code::kCorrupt, "a copy of the catalog has an impossible length");
  }
  wire::Reader reader(blocks.subspan(kBlock, length), "a copy of the catalog");
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
