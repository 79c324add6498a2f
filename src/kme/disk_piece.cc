// One piece at a time, one unit of it in memory.
#include "kme/disk_piece.h"

#include <algorithm>

#include "base/limits.h"
#include "kme/padded_hash.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::string_view kPieceMagic = "WRFPIECE";
constexpr std::uint16_t kPieceVersion = 1;
constexpr std::size_t kPieceHeaderBytes = 48;
constexpr std::size_t kTrailerBytes = 2 * mac::kBlockBytes;

Bytes header_of(const DiskManifest& manifest, std::uint32_t piece) {
  wire::Writer writer;
  writer.raw(as_bytes(kPieceMagic));
  writer.u16(kPieceVersion);
  writer.u16(0);
  writer.u32(piece);
  writer.id(manifest.set);
  for (const DiskWay way : kDiskWays) writer.u64(manifest.pieces[piece].length[way]);
  WARIFU_CHECK(writer.bytes().size() == kPieceHeaderBytes);
  return writer.take();
}

mac::Tag mask_tag(mac::Tag hash, ByteView mask) {
  for (std::size_t i = 0; i < hash.size(); ++i) hash[i] ^= mask[i];
  return hash;
}

// Whose piece a file with a wrong header is.
std::string foreign_text(ByteView header) {
  wire::Reader reader(header, "piece");
  if (as_text(reader.raw(kPieceMagic.size())) != kPieceMagic) return "is no piece of a disk set";
  if (const auto version = reader.u16(); version != kPieceVersion) {
    return "has the unknown version " + std::to_string(version);
  }
  (void)reader.u16();
  const std::uint32_t number = reader.u32();
  return "is piece " + std::to_string(number) + " of set " + reader.id<DiskSetId>().text() +
         ", or damaged";
}

}  // namespace

std::vector<DiskUnit> units_of(const DiskManifest& manifest, std::uint32_t piece) {
  const DiskPiece& whole = manifest.pieces[piece];
  std::vector<DiskUnit> units;
  std::uint64_t at = kPieceHeaderBytes;
  for (const DiskWay way : kDiskWays) {
    for (std::uint64_t done = 0; done < whole.length[way];) {
      const auto length = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(limits::kSegmentBytes, whole.length[way] - done));
      units.push_back({way, whole.begin[way] + ByteCount{done}, length, at});
      done += length;
      at += length;
    }
  }
  return units;
}

std::uint64_t piece_file_bytes(const DiskPiece& piece) {
  return kPieceHeaderBytes + piece.bytes() + kTrailerBytes;
}

Result<mac::Tag> write_piece(os::System system, const DiskManifest& manifest, std::uint32_t piece,
                             const std::array<std::string, 2>& paths,
                             const DiskProgress& progress) {
  std::array<std::unique_ptr<os::File>, 2> files;
  for (std::size_t i = 0; i < 2; ++i) {
    TRY_ASSIGN(files[i], system.files.open(paths[i], os::OpenMode::kCreate));
  }
  const auto write = [&](std::uint64_t at, ByteView bytes) -> Result<> {
    for (const auto& file : files) TRY(file->write_at(at, bytes));
    return {};
  };
  secret::Buffer trailer(kTrailerBytes);
  system.random.fill(trailer.bytes());
  const mac::Key key(trailer.bytes().first(mac::kBlockBytes));
  mac::Hasher hasher(key);
  const Bytes header = header_of(manifest, piece);
  hash_padded(hasher, header);
  TRY(write(0, header));
  std::uint64_t done = 0;
  for (const DiskUnit& unit : units_of(manifest, piece)) {
    secret::Buffer material(unit.length);
    system.random.fill(material.bytes());
    hash_padded(hasher, material.bytes());
    TRY(write(unit.at, material.bytes()));
    done += unit.length;
    if (progress) TRY(progress(done));
  }
  TRY(write(kPieceHeaderBytes + done, trailer.bytes()));
  for (std::size_t i = 0; i < 2; ++i) {
    files[i]->sync();
    system.files.sync_dir(os::parent_of(paths[i]));
  }
  return mask_tag(hasher.finish(), trailer.bytes().subspan(mac::kBlockBytes));
}

Result<DiskPieceReader> DiskPieceReader::open(os::FileSystem& files, const std::string& folder,
                                              const DiskManifest& manifest, std::uint32_t piece) {
  const std::string path = piece_path(folder, piece);
  const std::string text = piece_text(folder, manifest, piece);
  if (!files.exists(path)) return fail(Code::kNotFound, text + " is missing");
  auto file = files.open(path, os::OpenMode::kRead);
  if (!file) return fail_in(text, file.error());
  auto size = (*file)->size();
  if (!size) return fail_in(text, size.error());
  const std::uint64_t expected = piece_file_bytes(manifest.pieces[piece]);
  if (*size != expected) {
    return fail(Code::kCorrupt, text + " has " + std::to_string(*size) +
                                    " bytes, the manifest wants " + std::to_string(expected));
  }
  Bytes header(kPieceHeaderBytes);
  if (auto read = (*file)->read_exact_at(0, header); !read) return fail_in(text, read.error());
  if (header != header_of(manifest, piece)) {
    return fail(Code::kCorrupt, text + " does not belong here: the file " + foreign_text(header));
  }
  return DiskPieceReader(std::move(*file), manifest, piece);
}

Result<> DiskPieceReader::verify(const DiskProgress& progress) {
  const DiskPiece& piece = manifest_->pieces[piece_];
  const std::string text = piece_text(os::parent_of(file_->path()), *manifest_, piece_);
  const auto read = [&](std::uint64_t at, MutableBytes out) -> Result<> {
    if (auto got = file_->read_exact_at(at, out); !got) return fail_in(text, got.error());
    return {};
  };
  secret::Buffer trailer(kTrailerBytes);
  TRY(read(kPieceHeaderBytes + piece.bytes(), trailer.bytes()));
  const mac::Key key(trailer.bytes().first(mac::kBlockBytes));
  mac::Hasher hasher(key);
  hash_padded(hasher, header_of(*manifest_, piece_));
  std::uint64_t done = 0;
  for (const DiskUnit& unit : units_of(*manifest_, piece_)) {
    secret::Buffer material(unit.length);
    TRY(read(unit.at, material.bytes()));
    hash_padded(hasher, material.bytes());
    done += unit.length;
    if (progress) TRY(progress(done));
  }
  const mac::Tag tag = mask_tag(hasher.finish(), trailer.bytes().subspan(mac::kBlockBytes));
  if (!secret::equal(tag, piece.tag)) {
    return fail(Code::kCorrupt, text + " is damaged: nothing of it was taken in");
  }
  return {};
}

Result<secret::Buffer> DiskPieceReader::read(const DiskUnit& unit) {
  secret::Buffer material(unit.length);
  if (auto read = file_->read_exact_at(unit.at, material.bytes()); !read) {
    return fail_in(piece_text(os::parent_of(file_->path()), *manifest_, piece_), read.error());
  }
  return material;
}

std::string piece_text(const std::string& folder, const DiskManifest& manifest,
                       std::uint32_t piece) {
  const DiskPiece& where = manifest.pieces[piece];
  return "piece " + std::to_string(piece) + " ('" + piece_path(folder, piece) + "', " +
         human_bytes(where.bytes()) + " from place " + std::to_string(where.begin[kAToB].value) +
         " of " + manifest.a.text() + "-" + manifest.b.text() + " and " +
         std::to_string(where.begin[kBToA].value) + " back)";
}

}  // namespace warifu::kme
