// Key containers: an in-place scanner for reading, a piecewise encoder for writing.
//
// The places of quotes and brackets in a container are public (lengths and counts); only the base64
// text between two quotes is secret, and it is touched by memchr and the constant-time decoder
// only.
#include <algorithm>
#include <cstring>

#include "kme/etsi014_base64.h"
#include "kme/etsi014_json.h"
#include "wire/wire.h"

namespace warifu::kme::etsi014 {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kPlainPiece = 48 * 1024;  // key bytes encoded at once: 64 KiB of text
constexpr std::string_view kOpening = "{\"keys\":[";
constexpr std::string_view kClosing = "]}";
constexpr std::string_view kBeforeId = "{\"key_ID\":\"";
constexpr std::string_view kBeforeKey = "\",\"key\":\"";
constexpr std::string_view kAfterKey = "\"}";

// Reads JSON from left to right. The first flaw makes it fail; later calls do nothing.
class Scanner {
 public:
  explicit Scanner(MutableBytes text) : text_(text) {}

  [[nodiscard]] bool good() const { return good_; }
  void reject() { good_ = false; }
  [[nodiscard]] bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  // The next character that is not a space; 0 at the end.
  char peek() {
    skip_space();
    return good_ && at_ < text_.size() ? static_cast<char>(text_[at_]) : '\0';
  }
  bool take(char expected) {
    if (peek() != expected || !good_) return false;
    ++at_;
    return true;
  }
  void need(char expected) {
    if (!take(expected)) reject();
  }

  // A string, its escapes undone in place.
  std::string_view string() {
    need('"');
    if (!good_) return {};
    Byte* const begin = text_.data() + at_;
    const auto* quote = static_cast<Byte*>(std::memchr(begin, '"', text_.size() - at_));
    if (quote == nullptr) return refused();
    const auto size = static_cast<std::size_t>(quote - begin);
    if (size == 0 || std::memchr(begin, '\\', size) == nullptr) {
      at_ += size + 1;
      return as_text({begin, size});
    }
    return string_with_escapes(begin);
  }

  // Calls on_member(name) for every member of an object; it must take the value.
  template <typename OnMember>
  void object(OnMember on_member) {
    need('{');
    if (!good_ || take('}')) return;
    do {
      const std::string_view name = string();
      need(':');
      if (good_) on_member(name);
    } while (good_ && take(','));
    need('}');
  }
  template <typename OnElement>
  void array(OnElement on_element) {
    need('[');
    if (!good_ || take(']')) return;
    do {
      on_element();
    } while (good_ && take(','));
    need(']');
  }
  void skip_value(int depth = 0) {
    if (depth > kMaxDepth) return reject();
    switch (peek()) {
      case '{': return object([&](std::string_view) { skip_value(depth + 1); });
      case '[': return array([&] { skip_value(depth + 1); });
      case '"': (void)string(); return;
      default: return skip_word();
    }
  }

 private:
  std::string_view refused() {
    reject();
    return {};
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  // true, false, null or a number; the exact grammar of what is skipped does not matter.
  void skip_word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(text_[at_]) != 0 || text_[at_] == '-' ||
                                  text_[at_] == '+' || text_[at_] == '.')) {
      ++at_;
    }
    if (at_ == start) reject();
  }
  std::string_view string_with_escapes(Byte* begin) {
    Byte* out = begin;
    while (at_ < text_.size()) {
      const Byte c = text_[at_++];
      if (c == '"') return as_text({begin, static_cast<std::size_t>(out - begin)});
      if (c != '\\') {
        *out++ = c;
      } else if (!unescape(out)) {
        break;
      }
    }
    return refused();
  }
  // Only characters of ASCII may be escaped here: identifiers and base64 have no others.
  bool unescape(Byte*& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (at_ >= text_.size()) return false;
    const char c = static_cast<char>(text_[at_++]);
    if (const std::size_t found = kFrom.find(c); found != std::string_view::npos) {
      *out++ = static_cast<Byte>(kTo[found]);
      return true;
    }
    if (c != 'u' || text_.size() - at_ < 4) return false;
    const auto code = from_hex(as_text(text_.subspan(at_, 4)));
    if (!code) return false;
    at_ += 4;
    *out++ = (*code)[0] == 0 && (*code)[1] < 0x80 ? (*code)[1] : Byte{'?'};
    return true;
  }

  MutableBytes text_;
  std::size_t at_ = 0;
  bool good_ = true;
};

// The bytes behind a base64 text; empty on a flaw.
secret::Buffer decode_key(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  secret::Buffer key(text.size() / 4 * 3 - padding);
  if (!decode_bulk(text, key.bytes())) return {};
  return key;
}

void scan_key(Scanner& scanner, std::vector<DeviceKey>& keys) {
  DeviceKey key;
  bool has_key = false;
  scanner.object([&](std::string_view name) {
    if (name == "key_ID") {
      const auto id = normal_uuid(scanner.string());
      if (!id || !key.id.empty()) return scanner.reject();
      key.id = *id;
    } else if (name == "key") {
      if (std::exchange(has_key, true)) return scanner.reject();
      key.bytes = decode_key(scanner.string());
      if (key.bytes.empty()) scanner.reject();
    } else {
      scanner.skip_value(2);
    }
  });
  if (key.id.empty() || !has_key || keys.size() >= kMaxKeysInContainer) scanner.reject();
  if (scanner.good()) keys.push_back(std::move(key));
}

std::size_t entry_length(const DeviceKey& key) {
  return kBeforeId.size() + key.id.size() + kBeforeKey.size() +
         wire::base64_length(key.bytes.size()) + kAfterKey.size();
}

// Collects text up to 64 KiB and passes it on.
class PieceWriter {
 public:
  explicit PieceWriter(const std::function<Result<>(ByteView)>& sink)
      : sink_(sink), piece_(wire::base64_length(kPlainPiece)) {}

  Result<> text(std::string_view text) {
    if (piece_.size() - size_ < text.size()) TRY(flush());
    copy_bytes(piece_.bytes().subspan(size_), as_bytes(text));
    size_ += text.size();
    return {};
  }
  Result<> base64(ByteView key) {
    while (!key.empty()) {
      // Whole groups of three bytes, so that padding stands only at the end of the key.
      std::size_t room = (piece_.size() - size_) / 4 * 3;
      if (room == 0) {
        TRY(flush());
        room = kPlainPiece;
      }
      const ByteView part = key.first(std::min(key.size(), room));
      const std::size_t length = wire::base64_length(part.size());
      auto* out = reinterpret_cast<char*>(piece_.bytes().data() + size_);
      encode_bulk(part, {out, length});
      size_ += length;
      key = key.subspan(part.size());
    }
    return {};
  }
  Result<> flush() {
    const std::size_t size = std::exchange(size_, 0);
    return size == 0 ? Result<>() : sink_(std::as_const(piece_).bytes().first(size));
  }

 private:
  const std::function<Result<>(ByteView)>& sink_;
  secret::Buffer piece_;
  std::size_t size_ = 0;
};

}  // namespace

Result<std::vector<DeviceKey>> parse_key_container(secret::Buffer text) {
  Scanner scanner(text.bytes());
  std::vector<DeviceKey> keys;
  bool has_keys = false;
  scanner.object([&](std::string_view name) {
    if (name == "keys" || name == "Keys") {  // the standard's table and its examples differ
      if (std::exchange(has_keys, true)) return scanner.reject();
      scanner.array([&] { scan_key(scanner, keys); });
    } else {
      scanner.skip_value(1);
    }
  });
  if (!scanner.good() || !has_keys || !scanner.at_end()) {
    return fail(Code::kProtocol, "malformed key container");
  }
  return keys;
}

std::uint64_t key_container_length(const std::vector<DeviceKey>& keys) {
  std::uint64_t length = kOpening.size() + kClosing.size();
  for (const DeviceKey& key : keys) length += entry_length(key);
  return length + (keys.empty() ? 0 : keys.size() - 1);
}

Result<> write_key_container(const std::vector<DeviceKey>& keys,
                             const std::function<Result<>(ByteView)>& sink) {
  PieceWriter writer(sink);
  TRY(writer.text(kOpening));
  bool first = true;
  for (const DeviceKey& key : keys) {
    if (!std::exchange(first, false)) TRY(writer.text(","));
    TRY(writer.text(kBeforeId));
    TRY(writer.text(key.id));
    TRY(writer.text(kBeforeKey));
    TRY(writer.base64(key.bytes.bytes()));
    TRY(writer.text(kAfterKey));
  }
  TRY(writer.text(kClosing));
  return writer.flush();
}

}  // namespace warifu::kme::etsi014
