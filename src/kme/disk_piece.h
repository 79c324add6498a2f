// Piece files of a disk set: writing two equal copies, checking, reading
// (docs/formats/disk-set.md).
//
//   piece  := header material(a to b) material(b to a) key:16 mask:16
//   header := "WRFPIECE" version:u16 zero:u16 piece:u32 set:16 length_ab:u64 length_ba:u64
//   tag    := h_key(header, material in units of 16 MiB, each padded) XOR mask; in the manifest
//
// Thread rule: a reader belongs to one thread.
#pragma once

#include <functional>
#include <memory>

#include "kme/disk_manifest.h"
#include "secret/secret.h"

namespace warifu::kme {

// The part of a piece that becomes one segment of a pool.
struct DiskUnit {
  DiskWay way = kAToB;
  PadOffset place;           // in the stream of its direction
  std::uint32_t length = 0;  // bytes, 1 to limits::kSegmentBytes
  std::uint64_t at = 0;      // in the piece's file
};
// In the order of the file. `piece` must be in the manifest, here and below.
[[nodiscard]] std::vector<DiskUnit> units_of(const DiskManifest& manifest, std::uint32_t piece);
// Bytes of the whole file.
[[nodiscard]] std::uint64_t piece_file_bytes(const DiskPiece& piece);

// Called with bytes of material done; what it returns ends the work when it is an error.
using DiskProgress = std::function<Result<>(std::uint64_t done)>;

// Draws the material and writes both files, durably, mode 0600; neither may exist. Returns the tag.
// Errors: kAlreadyExists, kNoSpace, kIo; files may then be left.
[[nodiscard]] Result<mac::Tag> write_piece(os::System system, const DiskManifest& manifest,
                                           std::uint32_t piece,
                                           const std::array<std::string, 2>& paths,
                                           const DiskProgress& progress);

class DiskPieceReader {
 public:
  // Checks length and header. Errors, naming piece, file and place: kNotFound, kCorrupt (damaged,
  // or of another set), kIo.
  [[nodiscard]] static Result<DiskPieceReader> open(os::FileSystem& files,
                                                    const std::string& folder,
                                                    const DiskManifest& manifest,
                                                    std::uint32_t piece);
  // Reads all of it. Errors: kCorrupt, kIo, those of `progress`.
  [[nodiscard]] Result<> verify(const DiskProgress& progress);
  // The bytes of a unit, unverified.
  [[nodiscard]] Result<secret::Buffer> read(const DiskUnit& unit);

 private:
  DiskPieceReader(std::unique_ptr<os::File> file, const DiskManifest& manifest, std::uint32_t piece)
      : file_(std::move(file)), manifest_(&manifest), piece_(piece) {}
  std::unique_ptr<os::File> file_;
  const DiskManifest* manifest_;  // outlives the reader
  std::uint32_t piece_;
};

// "piece 5 ('/media/key/piece-000005', 1.1 GB from place 123 of tuh-cloud1 and 456 back)".
[[nodiscard]] std::string piece_text(const std::string& folder, const DiskManifest& manifest,
                                     std::uint32_t piece);

}  // namespace warifu::kme
