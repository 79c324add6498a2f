// What is there already, and one piece after another.
#include "kme/disk_maker.h"

#include <algorithm>
#include <optional>

namespace warifu::kme {
namespace {

using Folders = std::array<std::string, 2>;

// The manifest of a folder, whole or not; none when it holds none.
Result<std::optional<DiskManifest>> manifest_in(os::FileSystem& files, const std::string& folder) {
  for (const std::string& path : {manifest_path(folder), unfinished_manifest_path(folder)}) {
    if (!files.exists(path)) continue;
    TRY_ASSIGN(DiskManifest manifest, read_manifest_file(files, path));
    return manifest;
  }
  return std::nullopt;
}

// How many pieces, from the first on, are in the folder with the right length.
Result<std::uint32_t> pieces_in(os::FileSystem& files, const std::string& folder,
                                const DiskManifest& manifest) {
  for (std::uint32_t piece = 0; piece < manifest.made; ++piece) {
    const std::string path = piece_path(folder, piece);
    if (!files.exists(path)) return piece;
    TRY_ASSIGN(const auto file, files.open(path, os::OpenMode::kRead));
    TRY_ASSIGN(const std::uint64_t size, file->size());
    if (size != piece_file_bytes(manifest.pieces[piece])) return piece;
  }
  return manifest.made;
}

// The set that is being made in the two folders, or a new one.
Result<DiskManifest> begun(os::FileSystem& files, const DiskManifest& plan,
                           const Folders& folders) {
  std::optional<DiskManifest> found;
  bool whole = false;
  std::uint32_t made = static_cast<std::uint32_t>(plan.pieces.size());
  for (const std::string& folder : folders) {
    TRY_ASSIGN(auto manifest, manifest_in(files, folder));
    if (!manifest) {
      made = 0;
      continue;
    }
    if (!same_plan(*manifest, plan)) {
      return fail(Code::kAlreadyExists,
                  "'" + folder + "' holds a disk set of other sizes, places or sites (" +
                      manifest->a.text() + "-" + manifest->b.text() + ", " +
                      human_bytes(manifest->bytes_in(manifest->pieces.size())) + ")");
    }
    if (found && found->set != manifest->set) {
      return fail(Code::kAlreadyExists,
                  "'" + folders[0] + "' and '" + folders[1] + "' hold different disk sets");
    }
    TRY_ASSIGN(const std::uint32_t there, pieces_in(files, folder, *manifest));
    made = std::min(made, there);
    whole = whole || files.exists(manifest_path(folder));
    if (!found || manifest->made > found->made) found = std::move(manifest);
  }
  // A set that was whole may have been brought somewhere: nothing of it is drawn anew.
  if (whole && made < plan.pieces.size()) {
    return fail(Code::kAlreadyExists, "'" + folders[0] + "' and '" + folders[1] +
                                          "' hold a set that was made already, not wholly in "
                                          "both; take empty folders");
  }
  DiskManifest manifest = found ? std::move(*found) : plan;
  manifest.made = found ? made : 0;
  return manifest;
}

Result<> prepare(os::FileSystem& files, const DiskManifest& manifest, const std::string& folder) {
  const std::uint64_t missing =
      manifest.bytes_in(manifest.pieces.size()) - manifest.bytes_in(manifest.made);
  std::vector<std::string> keep;
  for (std::uint32_t piece = 0; piece < manifest.made; ++piece) {
    keep.push_back(piece_path("", piece).substr(1));
  }
  TRY_ASSIGN(const auto names, files.list(folder));
  for (const std::string& name : names) {
    if (!name.starts_with("piece-") || std::ranges::binary_search(keep, name)) continue;
    TRY(files.remove(folder + "/" + name));  // half written, or not at the other end
  }
  TRY_ASSIGN(const std::uint64_t free, files.free_bytes(folder));
  if (missing > free) {
    return fail(Code::kNoSpace, "'" + folder + "' has room for " + human_bytes(free) + ", " +
                                    human_bytes(missing) + " of the disk set are to be written");
  }
  return {};
}

Result<> write_manifests(os::FileSystem& files, const DiskManifest& manifest,
                         const Folders& folders) {
  const Bytes bytes = encode(manifest);
  for (const std::string& folder : folders) {
    TRY(os::replace_file(files, unfinished_manifest_path(folder), bytes));
  }
  return {};
}

Result<> finish(os::FileSystem& files, const DiskManifest& manifest, const Folders& folders) {
  const Bytes bytes = encode(manifest);
  for (const std::string& folder : folders) {
    TRY(os::replace_file(files, manifest_path(folder), bytes));
    TRY(files.remove(unfinished_manifest_path(folder)));
    files.sync_dir(folder);
  }
  return {};
}

}  // namespace

Result<MadeDiskSet> make_disk_set(os::System system, const DiskManifest& plan,
                                  const Folders& folders, const DiskMakeProgress& progress) {
  if (folders[0] == folders[1]) {
    return fail(Code::kInvalidArgument,
                "the two copies need two folders, not '" + folders[0] + "' twice");
  }
  for (const std::string& folder : folders) {
    TRY(system.files.make_directories(folder));
    system.files.sync_dir(os::parent_of(folder));
  }
  TRY_ASSIGN(DiskManifest manifest, begun(system.files, plan, folders));
  const std::uint32_t kept = manifest.made;
  for (const std::string& folder : folders) TRY(prepare(system.files, manifest, folder));
  if (!manifest.whole()) TRY(write_manifests(system.files, manifest, folders));
  const std::uint64_t total = manifest.bytes_in(manifest.pieces.size());
  while (!manifest.whole()) {
    const std::uint32_t piece = manifest.made;
    const std::uint64_t before = manifest.bytes_in(piece);
    TRY_ASSIGN(manifest.pieces[piece].tag,
               write_piece(system, manifest, piece,
                           {piece_path(folders[0], piece), piece_path(folders[1], piece)},
                           [&](std::uint64_t done) -> Result<> {
                             if (progress) progress(before + done, total);
                             return {};
                           }));
    ++manifest.made;
    TRY(write_manifests(system.files, manifest, folders));
  }
  TRY(finish(system.files, manifest, folders));
  return MadeDiskSet{std::move(manifest), kept};
}

}  // namespace warifu::kme
