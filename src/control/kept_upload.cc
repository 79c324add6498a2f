// Records and files of uploads.
#include "control/kept_upload.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "control/sealed_secret.h"
#include "crypto/crypto.h"
#include "os/folders.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::string_view kRecordMagic = "WUPL";
constexpr std::uint16_t kRecordVersion = 1;
constexpr std::size_t kReadBytes = limits::kChunkBytes;
constexpr std::size_t kMostRecord = 1U << 20U;
constexpr std::size_t kMostText = 65'535;

std::string record_path(const std::string& path) {
  return path + std::string(KeptUpload::kRecordEnding);
}

std::string other_path(const std::string& path) {
  return path + ".new";
}

// record := "WUPL" version:u16 sealed       sealed: seal_secret() of the fields below
void write_facts(wire::Writer& out, const UploadFacts& facts) {
  out.id(facts.id);
  for (const std::string* text :
       {&facts.person, &facts.label, &facts.policy, &facts.mark, &facts.assembly, &facts.about}) {
    out.text(*text);
  }
  out.u64(facts.length);
  out.u8(static_cast<std::uint8_t>(facts.priority));
  out.u8(static_cast<std::uint8_t>(facts.index));
  out.i64(facts.began.value);
  out.i64(facts.touched.value);
  out.u32(facts.lead_chunks);
  out.u8(facts.prepared ? 1 : 0);
  if (!facts.prepared) return;
  out.u64(facts.prepared->index_bytes);
  out.u32(facts.prepared->reads_per_slice);
  out.u64(facts.prepared->records);
  out.u64(facts.prepared->stored_bytes);
  out.text(facts.prepared->original_sha256);
}

UploadFacts read_facts(wire::Reader& in) {
  UploadFacts facts{.id = in.id<JobId>()};
  for (std::string* text :
       {&facts.person, &facts.label, &facts.policy, &facts.mark, &facts.assembly, &facts.about}) {
    *text = in.text(kMostText);
  }
  facts.length = in.u64();
  facts.priority = static_cast<catalog::JobPriority>(in.u8());
  const std::uint8_t index = in.u8();
  if (index > static_cast<std::uint8_t>(IndexFrom::kHere)) in.reject("an index from nowhere known");
  facts.index = static_cast<IndexFrom>(index);
  facts.began = {in.i64()};
  facts.touched = {in.i64()};
  facts.lead_chunks = in.u32();
  if (in.u8() == 0) return facts;
  PreparedUpload prepared{
      .index_bytes = in.u64(), .reads_per_slice = in.u32(), .records = in.u64()};
  prepared.stored_bytes = in.u64();
  prepared.original_sha256 = in.text(64);
  facts.prepared = std::move(prepared);
  return facts;
}

}  // namespace

KeptUpload::KeptUpload(const Home& home, UploadFacts facts, secret::Buffer key)
    : home_(home),
      path_(home.folder + "/" + facts.id.text()),
      facts_(std::move(facts)),
      key_(std::move(key)) {}

Result<> KeptUpload::save() {
  wire::Writer fields;
  write_facts(fields, facts_);
  // Sealed by itself too, so that it is never in ordinary memory.
  fields.blob(seal_secret(home_.root_key, home_.system.random, key_.bytes()));
  wire::Writer record;
  record.raw(as_bytes(kRecordMagic));
  record.u16(kRecordVersion);
  record.raw(seal_secret(home_.root_key, home_.system.random, fields.bytes()));
  auto saved = os::replace_file(home_.system.files, record_path(path_), record.bytes());
  is_record_sure_ = saved.has_value();
  return saved;
}

Result<> KeptUpload::settle() {
  return is_record_sure_ ? Result<>() : save();
}

Result<KeptUpload> KeptUpload::create(const Home& home, const UploadFacts& facts) {
  secret::Buffer key(kStagingKeyBytes);
  home.system.random.fill(key.bytes());
  KeptUpload upload(home, facts, std::move(key));
  const auto made = [&]() -> Result<> {
    TRY_ASSIGN(StagingWriter writer,
               StagingWriter::create(home.system, upload.path_, upload.key_.bytes()));
    TRY(writer.finish());
    return upload.save();
  }();
  if (made) return upload;
  (void)upload.erase();
  return std::unexpected(made.error());
}

Result<KeptUpload> KeptUpload::load(const Home& home, const JobId& id) {
  const std::string path = record_path(home.folder + "/" + id.text());
  TRY_ASSIGN(const Bytes bytes, os::read_file(home.system.files, path, kMostRecord));
  const std::string what = "upload record '" + path + "'";
  wire::Reader outer(bytes, what);
  if (as_text(outer.raw(kRecordMagic.size())) != kRecordMagic || outer.u16() != kRecordVersion) {
    return fail(Code::kCorrupt, what + " is none, or of another version of warifu");
  }
  const auto opened = open_secret(home.root_key, outer.raw(outer.remaining()));
  if (!opened) return fail_in(what, opened.error());
  wire::Reader in(opened->bytes(), what);
  UploadFacts facts = read_facts(in);
  const ByteView sealed_key = in.blob(kMostRecord);
  const auto whole = in.finish();
  if (!whole || facts.id != id || facts.length == 0) {
    return fail(Code::kCorrupt, what + " is damaged or another one's");
  }
  auto key = open_secret(home.root_key, sealed_key);
  if (!key || key->size() != kStagingKeyBytes) return fail(Code::kCorrupt, what + " has no key");
  KeptUpload upload(home, std::move(facts), std::move(*key));
  TRY(upload.recover());
  return upload;
}

Result<> KeptUpload::recover() {
  os::FileSystem& files = home_.system.files;
  const std::string other = other_path(path_);
  if (files.exists(other)) {
    // By the record it is the file, and its renaming was cut off; or nobody will finish it.
    const bool is_file = facts_.prepared && facts_.prepared->reads_per_slice > 0;
    TRY(is_file ? files.rename(other, path_) : files.remove(other));
    files.sync_dir(home_.folder);
  }
  if (facts_.lead_chunks == 0) TRY(files.remove(staged_lead_path(path_)));
  TRY_ASSIGN(const std::uint64_t chunks,
             count_staged_chunks(home_.system, path_, key_.bytes(), stored_bytes()));
  if (facts_.prepared) {
    if (chunks != sharing::Chunking{ByteCount{stored_bytes()}}.chunk_count()) {
      return fail(Code::kCorrupt, "'" + path_ + "' is cut short");
    }
    received_ = facts_.length;
  } else {
    received_ = std::min(chunks * limits::kChunkBytes, facts_.length);
  }
  return {};
}

bool KeptUpload::is_ready() const {
  return has_all() && (facts_.index == IndexFrom::kNowhere || facts_.lead_chunks > 0);
}

std::uint64_t KeptUpload::stored_bytes() const {
  return facts_.prepared ? facts_.prepared->stored_bytes : facts_.length;
}

std::uint64_t KeptUpload::object_bytes() const {
  return facts_.lead_chunks * std::uint64_t{limits::kChunkBytes} + stored_bytes();
}

Result<> KeptUpload::append(const Source& source) {
  TRY_ASSIGN(StagingWriter writer, StagingWriter::open_behind(home_.system, path_, key_.bytes(),
                                                              received_ / limits::kChunkBytes));
  const std::uint64_t before = received_;
  secret::Buffer piece(kReadBytes);
  const auto done = [&]() -> Result<> {
    for (;;) {
      TRY_ASSIGN(const std::size_t got, source(piece.bytes()));
      if (got == 0) return {};
      if (got > facts_.length - writer.length()) {
        return fail(Code::kInvalidArgument, "the piece goes beyond the " +
                                                std::to_string(facts_.length) +
                                                " bytes that were announced");
      }
      TRY(writer.append(piece.bytes().first(got)));
    }
  }();
  if (done && writer.length() == facts_.length) {
    TRY(writer.finish());
    received_ = facts_.length;
    return {};
  }
  writer.sync();
  received_ = writer.chunks() * limits::kChunkBytes;
  if (done && received_ == before && writer.length() > before) {
    return fail(Code::kInvalidArgument, "a piece has at least " +
                                            std::to_string(limits::kChunkBytes) +
                                            " bytes, or ends where the file does");
  }
  return done;
}

Result<> KeptUpload::write_lead(ByteView lead) const {
  const std::string path = staged_lead_path(path_);
  TRY(home_.system.files.remove(path));  // of a try before
  TRY_ASSIGN(StagingWriter writer,
             StagingWriter::create(home_.system, path, key_.bytes(), StagedPart::kLead));
  TRY(writer.append(lead));
  TRY(writer.finish());
  return {};
}

Result<> KeptUpload::set_lead(ByteView lead, std::uint32_t chunks, const std::string& about) {
  TRY(settle());
  TRY(write_lead(lead));
  UploadFacts before = facts_;
  facts_.lead_chunks = chunks;
  facts_.about = about;
  auto saved = save();
  if (!saved) facts_ = std::move(before);
  return saved;
}

namespace {

// Any bytes of a staged file of `length`.
Result<> read_staged(StagedFile& file, std::uint64_t length, std::uint64_t from, MutableBytes out) {
  WARIFU_CHECK(from <= length && out.size() <= length - from);
  const sharing::Chunking chunking{ByteCount{length}};
  secret::Buffer chunk;
  while (!out.empty()) {
    const ChunkIndex index{from / limits::kChunkBytes};
    const std::uint64_t skip = from % limits::kChunkBytes;
    chunk = secret::Buffer(chunking.length(index));
    TRY(file.read(index.value, chunk.bytes()));
    const std::size_t part = std::min<std::size_t>(out.size(), chunk.size() - skip);
    copy_bytes(out, ByteView(chunk.bytes()).subspan(skip, part));
    out = out.subspan(part);
    from += part;
  }
  return {};
}

KeptUpload::Source reader_from(const os::System& system, const std::string& path, ByteView key,
                               std::uint64_t length) {
  struct State {
    std::optional<StagedFile> file;
    secret::Buffer key;
    std::uint64_t at = 0;
  };
  auto state = std::make_shared<State>();
  state->key = secret::Buffer::copy_of(key);
  return [=](MutableBytes out) -> Result<std::size_t> {
    if (!state->file) {
      TRY_ASSIGN(StagedFile opened, StagedFile::open(system, path, state->key.bytes()));
      state->file.emplace(std::move(opened));
    }
    // Not over the end of a chunk: each is opened once.
    const std::uint64_t most =
        std::min(length - state->at, limits::kChunkBytes - state->at % limits::kChunkBytes);
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(most, out.size()));
    TRY(read_staged(*state->file, length, state->at, out.first(part)));
    state->at += part;
    return part;
  };
}

}  // namespace

Result<> KeptUpload::read(std::uint64_t from, MutableBytes out) const {
  TRY_ASSIGN(StagedFile file, StagedFile::open(home_.system, path_, key_.bytes()));
  return read_staged(file, stored_bytes(), from, out);
}

KeptUpload::Source KeptUpload::reader() const {
  return reader_from(home_.system, path_, key_.bytes(), stored_bytes());
}

Result<KeptUpload::Other> KeptUpload::start_other() {
  TRY(settle());
  TRY(home_.system.files.remove(other_path(path_)));
  Other other{.key = secret::Buffer(kStagingKeyBytes), .writer = {}};
  home_.system.random.fill(other.key.bytes());
  TRY_ASSIGN(StagingWriter writer,
             StagingWriter::create(home_.system, other_path(path_), other.key.bytes()));
  other.writer = std::make_unique<StagingWriter>(std::move(writer));
  return other;
}

Result<> KeptUpload::read_other(const Other& other, std::uint64_t from, MutableBytes out) const {
  TRY_ASSIGN(StagedFile file, StagedFile::open(home_.system, other_path(path_), other.key.bytes()));
  return read_staged(file, other.length, from, out);
}

KeptUpload::Source KeptUpload::reader_of(const Other& other) const {
  return reader_from(home_.system, other_path(path_), other.key.bytes(), other.length);
}

void KeptUpload::drop_other() {
  const auto settled = settle();
  const auto removed = settled ? home_.system.files.remove(other_path(path_)) : settled;
  if (!removed) log_warning(removed.error().message);
}

// By the record it is the file already.
Result<> KeptUpload::take_place() {
  auto renamed = home_.system.files.rename(other_path(path_), path_);
  // An error may be told of what was done: there is nothing left to rename then.
  if (!renamed && home_.system.files.exists(other_path(path_))) return renamed;
  home_.system.files.sync_dir(home_.folder);
  return {};
}

Result<> KeptUpload::set_prepared(const PreparedUpload& prepared, ByteView lead,
                                  std::uint32_t chunks, const std::string& about,
                                  const Other* other) {
  TRY(settle());
  secret::Buffer key_before;
  if (other != nullptr)
    key_before = std::exchange(key_, secret::Buffer::copy_of(other->key.bytes()));
  UploadFacts before = facts_;
  facts_.prepared = prepared;
  facts_.lead_chunks = chunks;
  facts_.about = about;
  const auto done = [&]() -> Result<> {
    TRY(write_lead(lead));
    TRY(save());
    return other == nullptr ? Result<>() : take_place();
  }();
  if (done) return {};
  facts_ = std::move(before);
  if (other != nullptr) key_ = std::move(key_before);
  is_record_sure_ = false;
  if (const auto saved = settle(); !saved) log_warning(saved.error().message);
  return done;
}

Result<> KeptUpload::touch(os::UnixMs now, bool keep) {
  facts_.touched = now;
  return keep ? save() : Result<>();
}

Result<> KeptUpload::forget_record(os::System system, const std::string& folder, const JobId& id) {
  const std::string record = record_path(folder + "/" + id.text());
  TRY(system.files.remove(record));
  TRY(system.files.remove(record + ".new"));  // cut off while it was replaced
  system.files.sync_dir(folder);
  return {};
}

Result<> KeptUpload::erase() {
  auto forgotten = forget_record(home_.system, home_.folder, facts_.id);
  if (!forgotten && home_.system.files.exists(record_path(path_))) return forgotten;
  key_ = {};
  const auto erased = erase_traces(home_.system, home_.folder, facts_.id);
  if (!erased) log_warning(erased.error().message);
  return {};
}

Result<> KeptUpload::erase_traces(os::System system, const std::string& folder, const JobId& id) {
  const std::string path = folder + "/" + id.text();
  TRY(forget_record(system, folder, id));
  TRY(system.files.remove(other_path(path)));
  return erase_staging(system, path);
}

}  // namespace warifu::control
