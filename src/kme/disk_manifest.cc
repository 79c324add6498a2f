// Dividing key into pieces; encoding and strict decoding of manifests.
#include "kme/disk_manifest.h"

#include <algorithm>
#include <cstdio>

#include "base/limits.h"
#include "kme/padded_hash.h"
#include "secret/secret.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::string_view kManifestMagic = "WRFDISKS";
constexpr std::uint16_t kManifestVersion = 1;
constexpr std::size_t kManifestHeaderBytes = 106;
constexpr std::size_t kEntryBytes = 48;
constexpr std::size_t kEndBytes = 2 * mac::kBlockBytes;
constexpr std::uint64_t kMostBytes =
    kManifestHeaderBytes + std::uint64_t{kMaxDiskPieces} * kEntryBytes + kEndBytes;
constexpr std::uint64_t kMaxLength = 1ULL << 50;  // bytes per direction
constexpr std::uint64_t kMaxBegin = 1ULL << 60;
constexpr std::uint64_t kLeastPiece = 1 << 20;

mac::Tag tag_of(ByteView all, ByteView key) {
  const mac::Key hash_key(key);
  mac::Hasher hasher(hash_key);
  hash_padded(hasher, all.first(kManifestHeaderBytes));
  hash_padded(hasher, all.subspan(kManifestHeaderBytes));
  return hasher.finish();
}

// The part of `length` that comes before part `index` of `count`, in whole sealed blocks.
std::uint64_t before(std::uint64_t length, std::uint64_t index, std::uint64_t count) {
  if (index == count) return length;
  const std::uint64_t even = length / count * index + length % count * index / count;
  return even / limits::kSealBlockBytes * limits::kSealBlockBytes;
}

DiskPiece read_entry(wire::Reader& reader) {
  DiskPiece piece;
  for (const DiskWay way : kDiskWays) piece.begin[way] = {reader.u64()};
  for (const DiskWay way : kDiskWays) piece.length[way] = reader.u64();
  const ByteView tag = reader.raw(piece.tag.size());
  if (tag.size() == piece.tag.size()) copy_bytes(piece.tag, tag);
  return piece;
}

void check_entry(const DiskManifest& manifest, const DiskPiece& piece, wire::Reader& reader) {
  const std::string name = "piece " + std::to_string(manifest.pieces.size());
  for (const DiskWay way : kDiskWays) {
    if (piece.length[way] > kMaxPieceBytes || piece.begin[way].value > kMaxBegin) {
      return reader.reject(name + " has an impossible length or place");
    }
    const PadOffset expected =
        manifest.pieces.empty() ? piece.begin[way] : manifest.pieces.back().end(way);
    if (piece.begin[way] != expected) {
      return reader.reject(name + " does not follow the one before");
    }
  }
  if (piece.bytes() == 0 || piece.bytes() > kMaxPieceBytes) {
    reader.reject(name + " has an impossible length");
  }
}

}  // namespace

std::uint64_t DiskManifest::bytes_in(std::size_t count) const {
  std::uint64_t bytes = 0;
  if (count == 0) return bytes;
  for (const DiskWay way : kDiskWays) bytes += (pieces[count - 1].end(way) - base(way)).value;
  return bytes;
}

Result<DiskManifest> plan_disk_set(const DiskPlan& plan, os::System system) {
  const std::uint64_t total = plan.lengths[0] + plan.lengths[1];
  if (total == 0 || plan.lengths[0] > kMaxLength || plan.lengths[1] > kMaxLength) {
    return fail(Code::kInvalidArgument, "a disk set has 1 byte to 1 PiB per direction");
  }
  if (plan.piece_bytes < kLeastPiece || plan.piece_bytes > kMaxPieceBytes) {
    return fail(Code::kInvalidArgument, "a piece of a disk set has 1 MiB to 64 GiB");
  }
  DiskManifest manifest{.set = os::random_id<DiskSetId>(system.random),
                        .link = plan.link,
                        .a = plan.a,
                        .b = plan.b,
                        .created = system.clock.now()};
  system.random.fill(manifest.key);
  std::array<PadOffset, 2> at = plan.bases;
  std::array<std::uint64_t, 2> left = plan.lengths;
  const auto add = [&](std::uint64_t ab, std::uint64_t ba) {
    if (ab + ba == 0) return;
    manifest.pieces.push_back({.begin = at, .length = {ab, ba}});
    at = {at[0] + ByteCount{ab}, at[1] + ByteCount{ba}};
    left = {left[0] - ab, left[1] - ba};
  };
  for (std::uint32_t i = 0; i < kStartPieces; ++i) {
    add(std::min(left[0], kStartPieceBytes), std::min(left[1], kStartPieceBytes));
  }
  const std::array<std::uint64_t, 2> rest = left;
  const std::uint64_t count = (rest[0] + rest[1] + plan.piece_bytes - 1) / plan.piece_bytes;
  if (manifest.pieces.size() + count > kMaxDiskPieces) {
    return fail(Code::kInvalidArgument, std::to_string(count) + " pieces are more than " +
                                            std::to_string(kMaxDiskPieces) +
                                            ": make them larger (--piece)");
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    add(before(rest[0], i + 1, count) - before(rest[0], i, count),
        before(rest[1], i + 1, count) - before(rest[1], i, count));
  }
  return manifest;
}

bool same_plan(const DiskManifest& x, const DiskManifest& y) {
  return x.link == y.link && x.a == y.a && x.b == y.b &&
         std::ranges::equal(x.pieces, y.pieces, [](const DiskPiece& p, const DiskPiece& q) {
           return p.begin == q.begin && p.length == q.length;
         });
}

Bytes encode(const DiskManifest& manifest) {
  WARIFU_CHECK(!manifest.pieces.empty() && manifest.made <= manifest.pieces.size());
  wire::Writer writer;
  writer.raw(as_bytes(kManifestMagic));
  writer.u16(kManifestVersion);
  writer.id(manifest.set);
  writer.id(manifest.link);
  writer.site(manifest.a);
  writer.site(manifest.b);
  for (const DiskWay way : kDiskWays) writer.u64(manifest.base(way).value);
  writer.i64(manifest.created.value);
  writer.u32(static_cast<std::uint32_t>(manifest.pieces.size()));
  writer.u32(manifest.made);
  WARIFU_CHECK(writer.bytes().size() == kManifestHeaderBytes);
  for (const DiskPiece& piece : manifest.pieces) {
    for (const DiskWay way : kDiskWays) writer.u64(piece.begin[way].value);
    for (const DiskWay way : kDiskWays) writer.u64(piece.length[way]);
    writer.raw(piece.tag);
  }
  const mac::Tag tag = tag_of(writer.bytes(), manifest.key);
  writer.raw(manifest.key);
  writer.raw(tag);
  return writer.take();
}

Result<DiskManifest> decode_disk_manifest(ByteView bytes, const std::string& path) {
  wire::Reader reader(bytes, "manifest '" + path + "'");
  const auto corrupt = [&](const std::string& why) {
    return fail(Code::kCorrupt, "manifest '" + path + "': " + why);
  };
  if (as_text(reader.raw(kManifestMagic.size())) != kManifestMagic)
    return corrupt("this is no disk set");
  if (const auto version = reader.u16(); version != kManifestVersion) {
    return corrupt("version " + std::to_string(version) + " is unknown");
  }
  if (bytes.size() < kManifestHeaderBytes + kEndBytes) return corrupt("it is cut short");
  const ByteView body = bytes.first(bytes.size() - kEndBytes);
  const ByteView key = bytes.subspan(body.size(), mac::kBlockBytes);
  if (!secret::equal(tag_of(body, key), bytes.last(mac::kBlockBytes))) {
    return corrupt("it is damaged or cut short");
  }
  DiskManifest manifest;
  copy_bytes(manifest.key, key);
  manifest.set = reader.id<DiskSetId>();
  manifest.link = reader.id<LinkId>();
  manifest.a = reader.site();
  manifest.b = reader.site();
  const std::array<PadOffset, 2> bases = {PadOffset{reader.u64()}, PadOffset{reader.u64()}};
  manifest.created = {reader.i64()};
  const std::uint32_t count = reader.u32();
  manifest.made = reader.u32();
  if (manifest.a == manifest.b) reader.reject("both ends have one name");
  if (count == 0 || count > kMaxDiskPieces || manifest.made > count) {
    reader.reject("impossible number of pieces");
  }
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    const DiskPiece piece = read_entry(reader);
    if (reader.good()) check_entry(manifest, piece, reader);
    manifest.pieces.push_back(piece);
  }
  (void)reader.raw(kEndBytes);
  if (reader.good() && (manifest.base(kAToB) != bases[0] || manifest.base(kBToA) != bases[1])) {
    reader.reject("the first piece does not begin at the base");
  }
  if (auto good = reader.finish(); !good) return fail(Code::kCorrupt, good.error().message);
  return manifest;
}

Result<DiskManifest> read_manifest_file(os::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const Bytes bytes, os::read_file(files, path, kMostBytes));
  return decode_disk_manifest(bytes, path);
}

Result<DiskManifest> read_disk_manifest(os::FileSystem& files, const std::string& folder) {
  if (!files.exists(manifest_path(folder))) {
    if (files.exists(unfinished_manifest_path(folder))) {
      return fail(Code::kRefused, "the disk set in '" + folder +
                                      "' is not whole: run the command that makes it again");
    }
    return fail(Code::kNotFound, "there is no disk set in '" + folder + "' ('" +
                                     manifest_path(folder) + "' is missing)");
  }
  TRY_ASSIGN(DiskManifest manifest, read_manifest_file(files, manifest_path(folder)));
  if (!manifest.whole()) {
    return fail(Code::kCorrupt, "manifest '" + manifest_path(folder) + "': pieces are missing");
  }
  return manifest;
}

std::string manifest_path(const std::string& folder) {
  return folder + "/manifest";
}

std::string unfinished_manifest_path(const std::string& folder) {
  return folder + "/manifest.part";
}

std::string piece_path(const std::string& folder, std::uint32_t piece) {
  char name[24];
  (void)std::snprintf(name, sizeof name, "/piece-%06u", piece);
  return folder + name;
}

}  // namespace warifu::kme
