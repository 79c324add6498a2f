// Notes: written, read, verified.
#include "audit/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "wire/wire.h"

namespace warifu::audit {
namespace {

constexpr std::string_view kDash = "\u2014 ";
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kMaxNoteBytes = 64 * 1024;

std::string base64(ByteView bytes) {
  std::string text(wire::base64_length(bytes.size()), '\0');
  wire::base64_encode(bytes, text);
  return text;
}

Result<Bytes> from_base64(std::string_view text) {
  Bytes bytes(text.size());
  TRY_ASSIGN(const std::size_t size, wire::base64_decode(text, bytes));
  bytes.resize(size);
  return bytes;
}

Bytes key_id(const std::string& name, SignatureKind kind, const crypto::PublicKey& key) {
  Bytes all(name.begin(), name.end());
  all.push_back('\n');
  all.push_back(static_cast<Byte>(kind));
  all.insert(all.end(), key.begin(), key.end());
  const Digest digest = crypto::sha256(all);
  return {digest.begin(), digest.begin() + kKeyIdBytes};
}

std::string cosigned_text(const Checkpoint& checkpoint, std::uint64_t seconds) {
  return "cosignature/v1\ntime " + std::to_string(seconds) + "\n" + checkpoint.body();
}

std::string line_of(const std::string& name, ByteView bytes) {
  return std::string(kDash) + name + " " + base64(bytes) + "\n";
}

std::unexpected<Error> bad(const std::string& why) {
  return fail(Code::kCorrupt, "checkpoint: " + why);
}

// Takes a line off the front of the text, without its line feed.
Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t feed = text.find('\n');
  if (feed == std::string_view::npos) return bad("a line does not end");
  const std::string_view line = text.substr(0, feed);
  text.remove_prefix(feed + 1);
  return line;
}

}  // namespace

std::string origin_of(const SiteName& site) {
  return "warifu.log/" + site.text();
}

std::string Checkpoint::body() const {
  return origin + "\n" + std::to_string(size) + "\n" + base64(root) + "\n";
}

std::string sign_line(const Checkpoint& checkpoint, const std::string& name,
                      const crypto::SigningKey& key) {
  Bytes bytes = key_id(name, SignatureKind::kLog, key.public_key());
  const crypto::Signature signature = key.sign(as_bytes(checkpoint.body()));
  bytes.insert(bytes.end(), signature.begin(), signature.end());
  return line_of(name, bytes);
}

std::string cosign_line(const Checkpoint& checkpoint, const std::string& name,
                        const crypto::SigningKey& key, os::UnixMs now) {
  Bytes bytes = key_id(name, SignatureKind::kWitness, key.public_key());
  const auto seconds = static_cast<std::uint64_t>(now.value / 1000);
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<Byte>(seconds >> shift));
  const crypto::Signature signature = key.sign(as_bytes(cosigned_text(checkpoint, seconds)));
  bytes.insert(bytes.end(), signature.begin(), signature.end());
  return line_of(name, bytes);
}

std::string Note::text() const {
  std::string text = checkpoint.body() + "\n";
  for (const std::string& line : lines) text += line;
  return text;
}

Result<Note> parse_note(std::string_view text) {
  if (text.size() > kMaxNoteBytes) return bad("it is too long");
  Note note;
  TRY_ASSIGN(const std::string_view origin, take_line(text));
  TRY_ASSIGN(const std::string_view size, take_line(text));
  TRY_ASSIGN(const std::string_view root, take_line(text));
  TRY_ASSIGN(const std::string_view empty, take_line(text));
  note.checkpoint.origin = std::string(origin);
  const auto [end, error] =
      std::from_chars(size.data(), size.data() + size.size(), note.checkpoint.size);
  if (error != std::errc{} || end != size.data() + size.size() ||
      std::to_string(note.checkpoint.size) != size) {
    return bad("its size is no number");
  }
  const auto bytes = from_base64(root);
  if (!bytes || bytes->size() != note.checkpoint.root.size()) return bad("its root is no hash");
  copy_bytes(note.checkpoint.root, *bytes);
  if (origin.empty() || !empty.empty()) return bad("it is not of this form");
  while (!text.empty()) {
    TRY_ASSIGN(const std::string_view line, take_line(text));
    if (!line.starts_with(kDash)) return bad("a signature is not of this form");
    note.lines.push_back(std::string(line) + "\n");
  }
  return note;
}

std::optional<os::UnixMs> signed_by(const Note& note, const std::string& name, SignatureKind kind,
                                    const crypto::PublicKey& key) {
  const std::string start = std::string(kDash) + name + " ";
  const std::size_t time_bytes = kind == SignatureKind::kWitness ? kTimeBytes : 0;
  crypto::Signature signature{};
  for (const std::string& line : note.lines) {
    if (!line.starts_with(start)) continue;
    const auto bytes =
        from_base64(std::string_view(line).substr(start.size(), line.size() - start.size() - 1));
    if (!bytes || bytes->size() != kKeyIdBytes + time_bytes + signature.size()) continue;
    const ByteView all(*bytes);
    if (!std::ranges::equal(all.first(kKeyIdBytes), key_id(name, kind, key))) continue;
    std::uint64_t seconds = 0;
    for (const Byte byte : all.subspan(kKeyIdBytes, time_bytes)) seconds = seconds << 8 | byte;
    copy_bytes(signature, all.last(signature.size()));
    const std::string signed_text = kind == SignatureKind::kWitness
                                        ? cosigned_text(note.checkpoint, seconds)
                                        : note.checkpoint.body();
    if (crypto::verify_signature(key, as_bytes(signed_text), signature)) {
      return os::UnixMs{static_cast<std::int64_t>(seconds) * 1000};
    }
  }
  return std::nullopt;
}

}  // namespace warifu::audit
