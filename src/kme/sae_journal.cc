// Frames, header and names of journal files.
#include "kme/sae_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "crypto/crypto.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::string_view kJournalMagic = "WRFSAEJ2";
constexpr std::string_view kFirstMagic = "WRFSAEJ1";
constexpr std::uint32_t kFrameMagic = 0x46454153;  // "SAEF"
constexpr std::string_view kPrefix = "journal-";
constexpr std::string_view kNewEnding = ".new";
constexpr std::size_t kHeaderBytes =
    8 + 8 + 4 + 8 + crypto::kSealKeyBytes + crypto::kSealOverhead + 4;
// The kernel writes whole blocks: a torn write may harm all of each block it touches. So no two
// frames share one.
constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kFrameHead = 4 + 4 + 8;
constexpr std::size_t kFrameBytes = kFrameHead + 4;
constexpr std::uint32_t kKeyDomain = 0x59454B53;  // "SKEY"

std::optional<std::uint64_t> number_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

constexpr std::uint64_t whole_blocks(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

}  // namespace

std::string SaeJournal::name_of(std::uint64_t number) {
  return fmt::format("{}{:016}", kPrefix, number);
}

Result<std::vector<std::uint64_t>> SaeJournal::numbers(os::FileSystem& files,
                                                       const std::string& dir) {
  TRY_ASSIGN(const std::vector<std::string> names, files.list(dir));
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = number_of(name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

Result<> SaeJournal::remove_older(os::FileSystem& files, const std::string& dir,
                                  std::uint64_t number) {
  TRY_ASSIGN(const std::vector<std::string> names, files.list(dir));
  for (const std::string& name : names) {
    std::string_view stem = name;
    if (stem.ends_with(kNewEnding)) stem.remove_suffix(kNewEnding.size());
    const auto found = number_of(stem);
    if (found && *found < number) TRY(files.remove(dir + "/" + name));
  }
  files.sync_dir(dir);
  return {};
}

Result<std::unique_ptr<SaeJournal>> SaeJournal::create(os::System system, const std::string& dir,
                                                       std::uint64_t number, ByteView root_key) {
  std::unique_ptr<SaeJournal> journal(new SaeJournal(system, dir, number));
  const std::string path = dir + "/" + name_of(number) + std::string(kNewEnding);
  TRY(system.files.remove(path));  // of a start that was cut short
  TRY_ASSIGN(journal->file_, system.files.open(path, os::OpenMode::kCreate));
  TRY_ASSIGN(journal->reader_, system.files.open(path, os::OpenMode::kRead));
  journal->key_ = secret::Buffer(crypto::kSealKeyBytes);
  system.random.fill(journal->key_.bytes());
  std::array<Byte, 12> nonce{};
  system.random.fill(nonce);
  wire::Reader place(nonce, "nonce");
  const std::uint32_t domain = place.u32();
  const std::uint64_t index = place.u64();
  Bytes wrapped(crypto::kSealKeyBytes + crypto::kSealOverhead);
  crypto::seal(root_key, domain, index, journal->key_.bytes(), wrapped);
  wire::Writer writer;
  writer.raw(as_bytes(kJournalMagic));
  writer.u64(number);
  writer.u32(domain);
  writer.u64(index);
  writer.raw(wrapped);
  writer.checksum();
  WARIFU_CHECK(writer.bytes().size() == kHeaderBytes);
  Bytes header = writer.take();
  header.resize(kBlockBytes);
  TRY(journal->file_->write_at(0, header));
  journal->end_ = kBlockBytes;
  return journal;
}

Result<std::unique_ptr<SaeJournal>> SaeJournal::load(os::System system, const std::string& dir,
                                                     std::uint64_t number, ByteView root_key,
                                                     const OnFrame& each) {
  std::unique_ptr<SaeJournal> journal(new SaeJournal(system, dir, number));
  TRY_ASSIGN(journal->reader_, system.files.open(dir + "/" + name_of(number), os::OpenMode::kRead));
  TRY(journal->read_header(root_key));
  TRY(journal->read_frames(each));
  return journal;
}

Result<> SaeJournal::read_header(ByteView root_key) {
  Bytes header(kHeaderBytes);
  TRY(reader_->read_exact_at(0, header));
  const auto damaged = [&](std::string_view why) {
    return fail(Code::kCorrupt, "'" + reader_->path() + "' is damaged: " + std::string(why));
  };
  wire::Reader reader(header, "journal header");
  const ByteView magic = reader.raw(kJournalMagic.size());
  const std::uint64_t number = reader.u64();
  const std::uint32_t domain = reader.u32();
  const std::uint64_t index = reader.u64();
  const ByteView wrapped = reader.raw(crypto::kSealKeyBytes + crypto::kSealOverhead);
  (void)reader.u32();  // the checksum
  TRY(reader.finish());
  first_version_ = as_text(magic) == kFirstMagic;
  if (as_text(magic) != kJournalMagic && !first_version_) return damaged("wrong magic");
  if (!wire::before_checksum(header)) return damaged("wrong checksum");
  if (number != number_) return damaged("it has another number than its name");
  key_ = secret::Buffer(crypto::kSealKeyBytes);
  TRY(crypto::open_sealed(root_key, domain, index, wrapped, key_.bytes()));
  end_ = kBlockBytes;
  return {};
}

Result<std::optional<Bytes>> SaeJournal::frame_at(std::uint64_t at, std::uint64_t size,
                                                  std::uint64_t sequence) {
  if (size - at < kFrameBytes) return std::nullopt;
  Bytes frame(kFrameHead);
  TRY(reader_->read_exact_at(at, frame));
  wire::Reader head(frame, "frame");
  const std::uint32_t magic = head.u32();
  const std::uint32_t length = head.u32();
  const std::uint64_t found = head.u64();
  if (magic != kFrameMagic || found != sequence || length > kMaxFrameBytes ||
      length > size - at - kFrameBytes) {
    return std::nullopt;
  }
  frame.resize(kFrameHead + length + 4);
  TRY(reader_->read_exact_at(at + kFrameHead, MutableBytes(frame).subspan(kFrameHead)));
  if (!wire::before_checksum(frame)) return std::nullopt;
  return Bytes(frame.begin() + kFrameHead, frame.end() - 4);
}

Result<> SaeJournal::read_frames(const OnFrame& each) {
  TRY_ASSIGN(const std::uint64_t size, reader_->size());
  while (end_ < size) {
    TRY_ASSIGN(const auto payload, frame_at(end_, size, sequence_));
    if (!payload) return check_tail(end_, size);
    TRY(each(*payload, end_ + kFrameHead));
    end_ += whole_blocks(kFrameBytes + payload->size());
    ++sequence_;
  }
  return {};
}

// Behind a torn frame nothing can stand that was written after it: that would be damage at rest,
// and what it burnt would come to life again.
Result<> SaeJournal::check_tail(std::uint64_t at, std::uint64_t size) {
  const auto damaged = [&] {
    return fail(Code::kCorrupt, "'" + reader_->path() + "' is damaged at byte " +
                                    std::to_string(at) + ", and more was written behind it");
  };
  if (size - at > whole_blocks(kMaxFrameBytes + kFrameBytes)) return damaged();
  Bytes rest(size - at);
  TRY(reader_->read_exact_at(at, rest));
  for (std::size_t i = kBlockBytes; i + kFrameBytes <= rest.size(); i += kBlockBytes) {
    wire::Reader head(ByteView(rest).subspan(i), "frame");
    if (head.u32() != kFrameMagic) continue;
    (void)head.u32();
    const std::uint64_t sequence = head.u64();
    if (sequence <= sequence_) continue;
    TRY_ASSIGN(const auto later, frame_at(at + i, size, sequence));
    if (later) return damaged();
  }
  return {};
}

SaeJournal::Sealed SaeJournal::seal(ByteView key) {
  Sealed sealed{next_index_++, Bytes(key.size() + crypto::kSealOverhead)};
  crypto::seal(key_.bytes(), kKeyDomain, sealed.index, key, sealed.bytes);
  return sealed;
}

Result<secret::Buffer> SaeJournal::open_key(std::uint64_t at, std::uint64_t index,
                                            std::size_t size) const {
  Bytes sealed(size + crypto::kSealOverhead);
  TRY(reader_->read_exact_at(at, sealed));
  secret::Buffer key(size);
  TRY(crypto::open_sealed(key_.bytes(), kKeyDomain, index, sealed, key.bytes()));
  return key;
}

Result<std::uint64_t> SaeJournal::append(ByteView payload) {
  if (payload.size() > kMaxFrameBytes) {
    return fail(Code::kBusy, "too many keys of applications at once");
  }
  wire::Writer frame;
  frame.u32(kFrameMagic);
  frame.u32(static_cast<std::uint32_t>(payload.size()));
  frame.u64(sequence_);
  frame.raw(payload);
  frame.checksum();
  Bytes blocks = frame.take();
  blocks.resize(whole_blocks(blocks.size()));
  TRY(file_->write_at(end_, blocks));
  const std::uint64_t at = end_ + kFrameHead;
  end_ += blocks.size();
  ++sequence_;
  return at;
}

void SaeJournal::sync() {
  file_->sync();
}

Result<> SaeJournal::publish() {
  file_->sync();
  const std::string path = dir_ + "/" + name_of(number_);
  TRY(system_.files.rename(path + std::string(kNewEnding), path));
  system_.files.sync_dir(dir_);
  return {};
}

}  // namespace warifu::kme
