// Composition and checking of lines. The only place that knows JSON.
#include "audit/line.h"

#include <algorithm>

#include <boost/json.hpp>

namespace warifu::audit {
namespace {

namespace json = boost::json;

constexpr std::string_view kHashKey = ",\"hash\":\"";
constexpr std::size_t kSealBytes = kHashKey.size() + 64 + 2;  // ,"hash":"..."}
constexpr std::string_view kPrevKey = ",\"prev\":\"";
constexpr std::size_t kPrevBytes = kPrevKey.size() + 64 + 1;
constexpr std::string_view kSaltKey = "\"salt\":\"";
constexpr std::string_view kRecordKey = "\",\"record\":";
constexpr std::string_view kErasedKey = "\"erased\":true,\"commitment\":\"";
constexpr std::size_t kBlockBytes = 256 * 1024;

std::unexpected<Error> bad(const std::string& why) {
  return fail(Code::kCorrupt, why);
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

// Blocks that never reached the disk read as zeros: the part of the line in its first block, or
// a whole block further on. A single 0 elsewhere is damage.
bool lacks_blocks(std::string_view line) {
  constexpr std::size_t kSector = 512;
  return line.starts_with('\0') || line.find(std::string(kSector, '\0')) != std::string_view::npos;
}

// As JSON text. What is not UTF-8 is replaced, because such a line could not be read again.
std::string json_text(std::string_view text) {
  std::string written = json::serialize(json::string_view(text.data(), text.size()));
  json::error_code error;
  (void)json::parse(written, error);
  if (!error) return written;
  std::string ascii(text);
  std::ranges::replace_if(ascii, [](char c) { return (c & 0x80) != 0; }, '?');
  return json::serialize(json::string_view(ascii));
}

Result<Digest> digest_of(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 32 || to_hex(*bytes) != hex) return bad("a hash is malformed");
  Digest digest{};
  copy_bytes(digest, *bytes);
  return digest;
}

Result<Record> record_of(const json::object& object) {
  Record record;
  const auto* time_ms = object.if_contains("time_ms");
  const auto* event = object.if_contains("event");
  const auto* fields = object.if_contains("fields");
  if (time_ms == nullptr || !time_ms->is_int64() || event == nullptr || !event->is_string() ||
      fields == nullptr || !fields->is_object()) {
    return bad("a member is missing or of a wrong kind");
  }
  record.time.value = time_ms->get_int64();
  record.event = std::string(event->get_string());
  for (const auto& [name, value] : fields->get_object()) {
    if (!value.is_string()) return bad("a field is not a text");
    record.fields.emplace_back(name, std::string(value.get_string()));
  }
  return record;
}

Digest hash_of(ByteView a, ByteView b) {
  Bytes all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return crypto::sha256(all);
}

// Everything of a line behind its body.
std::string sealed(std::string line, const Head& before, const Digest& commitment) {
  const Digest hash = hash_of(before.hash, leaf_hash(commitment));
  line += std::string(kPrevKey) + to_hex(before.hash) + '"';
  return line + std::string(kHashKey) + to_hex(hash) + "\"}\n";
}

std::string start_of(std::uint64_t sequence) {
  return "{\"seq\":" + std::to_string(sequence) + ",";
}

// A line between its number and ,"prev":.
struct Body {
  Digest commitment{};
  Salt salt{};
  std::string_view record;  // empty: erased
};

// None for an old line.
Result<std::optional<Body>> body_of(std::string_view text) {
  Body body;
  if (text.starts_with(kSaltKey)) {
    const std::size_t digits = 2 * body.salt.size();
    const std::size_t at = kSaltKey.size() + digits;
    const auto salt = from_hex(text.substr(kSaltKey.size(), digits));
    if (!salt || salt->size() != body.salt.size() ||
        to_hex(*salt) != text.substr(kSaltKey.size(), digits) ||
        !text.substr(at).starts_with(kRecordKey)) {
      return bad("its salt is malformed");
    }
    copy_bytes(body.salt, *salt);
    body.record = text.substr(at + kRecordKey.size());
    body.commitment = commitment_of(body.salt, body.record);
    return body;
  }
  if (!text.starts_with(kErasedKey)) return std::nullopt;
  if (text.size() != kErasedKey.size() + 64 + 1 || !text.ends_with('"')) {
    return bad("it is malformed");
  }
  TRY_ASSIGN(body.commitment, digest_of(text.substr(kErasedKey.size(), 64)));
  return body;
}

Result<json::object> object_of(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return bad("it is not JSON");
  return std::move(value.get_object());
}

Result<Record> parse_old(std::string_view line, const Head& before) {
  const std::string_view hashed = line.substr(0, line.size() - kSealBytes);
  TRY_ASSIGN(const Digest hash, digest_of(line.substr(hashed.size() + kHashKey.size(), 64)));
  if (crypto::sha256(as_bytes(hashed)) != hash) return bad("it was changed (hash does not match)");
  if (!hashed.ends_with(std::string(kPrevKey) + to_hex(before.hash) + '"')) {
    return bad("it does not follow the line before it");
  }
  TRY_ASSIGN(const json::object object, object_of(line));
  const auto* sequence = object.if_contains("seq");
  if (sequence == nullptr || sequence->if_int64() == nullptr ||
      static_cast<std::uint64_t>(*sequence->if_int64()) != before.sequence + 1) {
    return bad("its number is out of order");
  }
  TRY_ASSIGN(Record record, record_of(object));
  record.sequence = before.sequence + 1;
  record.hash = hash;
  record.leaf = leaf_hash(hash);
  return record;
}

}  // namespace

Digest commitment_of(ByteView salt, std::string_view record) {
  return hash_of(salt, as_bytes(record));
}

Result<std::string> make_line(const Head& before, const Salt& salt, os::UnixMs time,
                              std::string_view event, const Fields& fields) {
  bool named = is_name(event);
  std::string record = "{\"time\":\"" + os::utc_text(time) +
                       "\",\"time_ms\":" + std::to_string(time.value) + ",\"event\":\"" +
                       std::string(event) + "\",\"fields\":{";
  for (const auto& [name, value] : fields) {
    named = named && is_name(name);
    if (!record.ends_with('{')) record += ',';
    record += '"' + name + "\":" + json_text(value);
  }
  record += "}}";
  if (!named) {
    return fail(Code::kInvalidArgument,
                "audit event '" + std::string(event.substr(0, 64)) + "': names are of a-z and '_'");
  }
  std::string line = start_of(before.sequence + 1) + std::string(kSaltKey) + to_hex(salt) +
                     std::string(kRecordKey) + record;
  if (line.size() + kPrevBytes + kSealBytes > kMaxLineBytes) {
    return fail(Code::kInvalidArgument,
                "audit event '" + std::string(event) + "' is too long to be logged");
  }
  return sealed(std::move(line), before, commitment_of(salt, record));
}

Result<std::string> erased_line(std::string_view line, const Head& before) {
  const std::string start = start_of(before.sequence + 1);
  TRY(parse_line(line, before));
  TRY_ASSIGN(const auto body, body_of(line.substr(start.size(), line.size() - start.size() -
                                                                    kPrevBytes - kSealBytes)));
  const std::string number = std::to_string(before.sequence + 1);
  if (!body) {
    return fail(Code::kInvalidArgument,
                "record " + number + " is of an older version, whose hash is over its text");
  }
  if (body->record.empty()) {
    return fail(Code::kInvalidArgument, "record " + number + " is erased already");
  }
  return sealed(start + std::string(kErasedKey) + to_hex(body->commitment) + '"', before,
                body->commitment);
}

Result<Record> parse_line(std::string_view line, const Head& before) {
  if (line.size() <= kPrevBytes + kSealBytes || line.size() > kMaxLineBytes) {
    return bad("it has a wrong length");
  }
  const std::string_view seal = line.substr(line.size() - kSealBytes);
  if (!seal.starts_with(kHashKey) || !seal.ends_with("\"}")) return bad("it has no hash");
  const std::string start = start_of(before.sequence + 1);
  const std::string_view text = line.substr(0, line.size() - kPrevBytes - kSealBytes);
  if (!text.starts_with(start)) {
    return parse_old(line, before);  // which says what is wrong
  }
  TRY_ASSIGN(const auto body, body_of(text.substr(start.size())));
  if (!body) return parse_old(line, before);
  TRY_ASSIGN(const Digest hash, digest_of(seal.substr(kHashKey.size(), 64)));
  const std::string_view prev = line.substr(text.size(), kPrevBytes);
  TRY_ASSIGN(const Digest before_hash, digest_of(prev.substr(kPrevKey.size(), 64)));
  const Digest leaf = leaf_hash(body->commitment);
  if (!prev.starts_with(kPrevKey) || !prev.ends_with('"') || hash_of(before_hash, leaf) != hash) {
    return bad("it was changed (hash does not match)");
  }
  if (before_hash != before.hash) return bad("it does not follow the line before it");
  Record record;
  if (!body->record.empty()) {
    TRY_ASSIGN(const json::object object, object_of(body->record));
    TRY_ASSIGN(record, record_of(object));
  }
  record.sequence = before.sequence + 1;
  record.erased = body->record.empty();
  record.salt = body->salt;
  record.text = std::string(body->record);
  record.leaf = leaf;
  record.hash = hash;
  return record;
}

Result<Head> head_before(std::string_view text, std::uint64_t sequence) {
  const std::string_view line = text.substr(0, text.find('\n'));
  constexpr std::size_t kDigits = 64 + 1;  // and the closing quote
  if (line.size() < kSealBytes + kDigits) return bad("a line has a wrong length");
  const std::size_t at = line.size() - kSealBytes - kDigits;
  TRY_ASSIGN(const Digest hash, digest_of(line.substr(at, 64)));
  return Head{sequence, hash};
}

Result<Walk> walk(os::File& file, const Head& before, std::uint64_t start, const Visitor& visit) {
  TRY_ASSIGN(const std::uint64_t size, file.size());
  Walk done{before, start, {}};
  std::string pending;
  std::size_t at = 0;  // the lines of `pending` before this are done
  std::uint64_t read_to = start;
  while (true) {
    const std::size_t feed = pending.find('\n', at);
    if (feed == std::string::npos) {
      pending.erase(0, at);
      at = 0;
      if (read_to == size || pending.size() > kMaxLineBytes) break;
      Bytes block(std::min<std::uint64_t>(kBlockBytes, size - read_to));
      TRY(file.read_exact_at(read_to, block));
      read_to += block.size();
      pending += as_text(block);
      continue;
    }
    const std::string_view line = std::string_view(pending).substr(at, feed - at);
    const auto record = parse_line(line, done.head);
    if (!record) {
      const bool is_last = done.good_bytes + line.size() + 1 == size;
      if (is_last && lacks_blocks(line)) break;
      return bad("'" + file.path() + "' line " + std::to_string(done.head.sequence + 1) + ": " +
                 record.error().message);
    }
    if (visit && !visit(*record, done.good_bytes)) return done;
    done.head = {record->sequence, record->hash};
    done.good_bytes += line.size() + 1;
    at = feed + 1;
  }
  done.tail = pending.substr(at);
  if (done.tail.size() > kMaxLineBytes) {
    return bad("'" + file.path() + "' line " + std::to_string(done.head.sequence + 1) +
               ": it has a wrong length");
  }
  return done;
}

}  // namespace warifu::audit
