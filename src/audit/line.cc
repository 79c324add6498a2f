// Composition and checking of lines. The only place that knows JSON.
#include "audit/line.h"

#include <algorithm>

#include <boost/json.hpp>

namespace warifu::audit {
namespace {

namespace json = boost::json;

constexpr std::string_view kHashKey = ",\"hash\":\"";
constexpr std::size_t kSealBytes = kHashKey.size() + 64 + 2;  // ,"hash":"..."}
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
std::string quoted(std::string_view text) {
  std::string written = json::serialize(json::string_view(text.data(), text.size()));
  json::error_code error;
  (void)json::parse(written, error);
  if (!error) return written;
  std::string ascii(text);
  std::ranges::replace_if(ascii, [](char c) { return (c & 0x80) != 0; }, '?');
  return json::serialize(json::string_view(ascii));
}

Result<crypto::Digest> digest_of(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 32 || to_hex(*bytes) != hex) return bad("a hash is malformed");
  crypto::Digest digest{};
  copy_bytes(digest, *bytes);
  return digest;
}

Result<Record> record_of(const json::object& object, const crypto::Digest& hash) {
  Record record;
  record.hash = hash;
  const auto* sequence = object.if_contains("seq");
  const auto* time_ms = object.if_contains("time_ms");
  const auto* event = object.if_contains("event");
  const auto* fields = object.if_contains("fields");
  if (sequence == nullptr || !sequence->is_int64() || time_ms == nullptr || !time_ms->is_int64() ||
      event == nullptr || !event->is_string() || fields == nullptr || !fields->is_object()) {
    return bad("a member is missing or of a wrong kind");
  }
  record.sequence = static_cast<std::uint64_t>(sequence->get_int64());
  record.time.value = time_ms->get_int64();
  record.event = std::string(event->get_string());
  for (const auto& [name, value] : fields->get_object()) {
    if (!value.is_string()) return bad("a field is not a text");
    record.fields.emplace_back(name, std::string(value.get_string()));
  }
  return record;
}

}  // namespace

Result<std::string> make_line(const Head& before, os::UnixMs time, std::string_view event,
                              const Fields& fields) {
  bool named = is_name(event);
  std::string line = "{\"seq\":" + std::to_string(before.sequence + 1) + ",\"time\":\"" +
                     os::utc_text(time) + "\",\"time_ms\":" + std::to_string(time.value) +
                     ",\"event\":\"" + std::string(event) + "\",\"fields\":{";
  for (const auto& [name, value] : fields) {
    named = named && is_name(name);
    if (!line.ends_with('{')) line += ',';
    line += '"' + name + "\":" + quoted(value);
  }
  if (!named) {
    return fail(Code::kInvalidArgument,
                "audit event '" + std::string(event.substr(0, 64)) + "': names are of a-z and '_'");
  }
  line += "},\"prev\":\"" + to_hex(before.hash) + '"';
  if (line.size() + kSealBytes > kMaxLineBytes) {
    return fail(Code::kInvalidArgument,
                "audit event '" + std::string(event) + "' is too long to be logged");
  }
  const std::string hash = to_hex(crypto::sha256(as_bytes(line)));
  return line + std::string(kHashKey) + hash + "\"}\n";
}

Result<Record> parse_line(std::string_view line, const Head& before) {
  if (line.size() <= kSealBytes || line.size() > kMaxLineBytes) return bad("it has a wrong length");
  const std::string_view hashed = line.substr(0, line.size() - kSealBytes);
  const std::string_view seal = line.substr(hashed.size());
  if (!seal.starts_with(kHashKey) || !seal.ends_with("\"}")) return bad("it has no hash");
  TRY_ASSIGN(const crypto::Digest hash, digest_of(seal.substr(kHashKey.size(), 64)));
  if (crypto::sha256(as_bytes(hashed)) != hash) return bad("it was changed (hash does not match)");
  if (!hashed.ends_with(",\"prev\":\"" + to_hex(before.hash) + '"')) {
    return bad("it does not follow the line before it");
  }
  json::error_code error;
  const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
  if (error || !value.is_object()) return bad("it is not JSON");
  TRY_ASSIGN(Record record, record_of(value.get_object(), hash));
  if (record.sequence != before.sequence + 1) return bad("its number is out of order");
  return record;
}

Result<Head> head_before(std::string_view text, std::uint64_t sequence) {
  const std::string_view line = text.substr(0, text.find('\n'));
  constexpr std::size_t kPrevBytes = 64 + 1;  // digits and the closing quote
  if (line.size() < kSealBytes + kPrevBytes) return bad("a line has a wrong length");
  const std::size_t at = line.size() - kSealBytes - kPrevBytes;
  TRY_ASSIGN(const crypto::Digest hash, digest_of(line.substr(at, 64)));
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
  if (pending.size() > kMaxLineBytes) {
    return bad("'" + file.path() + "' line " + std::to_string(done.head.sequence + 1) +
               ": it has a wrong length");
  }
  done.tail = pending.substr(at);
  return done;
}

}  // namespace warifu::audit
