// Names and header slots.
#include "store/directory_files.h"

#include "base/reason.h"

namespace warifu::store {
namespace {

struct ReadSlot {
  std::optional<HeaderSlot> slot;
  std::string damage;
};

// Errors: kIo. Damage is told in the value.
Result<ReadSlot> read_slot(os::File& file, std::size_t at) {
  Bytes bytes(kHeaderBytes);
  TRY_ASSIGN(const std::size_t got, file.read_at(at * kHeaderBytes, bytes));
  ReadSlot read;
  auto parsed = parse_slot(ByteView(bytes).first(got), file.path());
  if (parsed) {
    read.slot = std::move(*parsed);
  } else {
    read.damage = parsed.error().message + " (header copy " + std::to_string(at + 1) + ")";
  }
  return read;
}

}  // namespace

std::optional<ShareId> share_of_name(std::string_view name, std::string_view ending) {
  if (name.size() != 32 + ending.size() || !name.ends_with(ending)) return std::nullopt;
  const auto share = ShareId::parse(name.substr(0, 32));
  if (!share || share->text() != name.substr(0, 32)) return std::nullopt;
  return *share;
}

Result<HeaderFile> HeaderFile::open(os::FileSystem& files, const std::string& path,
                                    const ShareId& share, os::OpenMode mode) {
  TRY_ASSIGN(auto file, files.open(path, mode));
  TRY_ASSIGN(ReadSlot first, read_slot(*file, 0));
  TRY_ASSIGN(ReadSlot second, read_slot(*file, 1));
  const bool second_counts =
      second.slot && (!first.slot || second.slot->sequence > first.slot->sequence);
  std::optional<HeaderSlot>& counts = second_counts ? second.slot : first.slot;
  if (!counts) return fail(Code::kCorrupt, first.damage + "; " + second.damage, Reason::kShareHead);
  HeaderSlot newest = std::move(*counts);
  if (newest.header.share != share) {
    return fail(Code::kCorrupt,
                "share file '" + path + "' holds share " + newest.header.share.text() +
                    ", not the one that it is named after",
                Reason::kShareHead);
  }
  HeaderFile header_file(std::move(file), std::move(newest), second_counts ? 1 : 0);
  header_file.damage_ = second_counts ? first.damage : second.damage;
  return header_file;
}

Result<HeaderFile> HeaderFile::create(os::FileSystem& files, const std::string& path,
                                      const ShareHeader& header) {
  TRY(files.remove(path));
  TRY_ASSIGN(auto file, files.open(path, os::OpenMode::kCreate));
  Bytes both = encode_slot({header, 1, 0});
  const Bytes second = encode_slot({header, 2, 0});
  both.insert(both.end(), second.begin(), second.end());
  if (auto written = file->write_at(0, both); !written) {
    (void)files.remove(path);  // the first error is the one to tell
    return std::unexpected(written.error());
  }
  file->sync();
  return HeaderFile(std::move(file), {header, 2, 0}, 1);
}

Result<> HeaderFile::write_other(HeaderSlot next) {
  const std::size_t at = 1 - newest_at_;
  next.sequence = newest_.sequence + 1;
  TRY(file_->write_at(at * kHeaderBytes, encode_slot(next)));
  file_->sync();
  newest_ = std::move(next);
  newest_at_ = at;
  damage_.clear();
  return {};
}

Result<> HeaderFile::advance(std::uint64_t durable_chunks) {
  WARIFU_CHECK(durable_chunks >= newest_.durable_chunks);
  return write_other({newest_.header, 0, durable_chunks});
}

Result<> HeaderFile::write_both(const ShareHeader& header, std::uint64_t durable_chunks) {
  const HeaderSlot next{header, 0, durable_chunks};
  TRY(write_other(next));
  return write_other(next);
}

}  // namespace warifu::store
