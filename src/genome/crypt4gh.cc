// libsodium: X25519, BLAKE2b, ChaCha20-Poly1305 (IETF), scrypt.
#include "genome/crypt4gh.h"

#include <sodium.h>

#include <algorithm>
#include <vector>

#include "base/reason.h"
#include "wire/wire.h"

namespace warifu::genome {
namespace {

constexpr std::string_view kMagic = "crypt4gh";
constexpr std::string_view kKeyMagic = "c4gh-v1";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kMaxPackets = 1'000;
constexpr std::size_t kMaxPacket = 8U << 20U;
constexpr std::size_t kMaxEdits = 500'000;
constexpr std::size_t kMaxDataKeys = 64;
constexpr std::size_t kNonce = 12;
constexpr std::size_t kMac = 16;
constexpr std::size_t kPacketHead = 4 + 4 + kCrypt4ghKeyBytes + kNonce;
constexpr std::size_t kSealedBlock = kNonce + kCrypt4ghBlock + kMac;

std::unexpected<Error> bad(std::string_view what, const std::string& why) {
  return fail(Code::kCorrupt, std::string(what) + ": " + why);
}

// First half of BLAKE2b-512(shared secret, reader's key, writer's key).
Result<secret::Buffer> packet_key(ByteView own_private, ByteView other_public, ByteView reader,
                                  ByteView writer) {
  secret::Buffer shared(crypto_scalarmult_BYTES);
  if (::crypto_scalarmult(shared.bytes().data(), own_private.data(), other_public.data()) != 0) {
    return fail(Code::kInvalidArgument, "no possible X25519 public key");
  }
  secret::Buffer hash(crypto_generichash_BYTES_MAX);
  crypto_generichash_state state{};
  (void)::crypto_generichash_init(&state, nullptr, 0, hash.size());
  for (const ByteView part : {ByteView(shared.bytes()), reader, writer}) {
    (void)::crypto_generichash_update(&state, part.data(), part.size());
  }
  (void)::crypto_generichash_final(&state, hash.bytes().data(), hash.size());
  ::sodium_memzero(&state, sizeof state);
  hash.shrink(kCrypt4ghKeyBytes);
  return hash;
}

Bytes public_of(const secret::Buffer& key) {
  Bytes out(crypto_scalarmult_BYTES);
  WARIFU_CHECK(::crypto_scalarmult_base(out.data(), key.bytes().data()) == 0);
  return out;
}

// `sealed` is nonce, ciphertext, MAC. False: not by this key, or changed.
bool open_box(ByteView sealed, ByteView key, MutableBytes plain) {
  WARIFU_CHECK(sealed.size() == plain.size() + kNonce + kMac);
  return ::crypto_aead_chacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr,
                                                     sealed.data() + kNonce, sealed.size() - kNonce,
                                                     nullptr, 0, sealed.data(), key.data()) == 0;
}

void seal_box(ByteView plain, ByteView key, ByteView nonce, MutableBytes sealed) {
  WARIFU_CHECK(sealed.size() == plain.size() + kNonce + kMac);
  copy_bytes(sealed, nonce);
  WARIFU_CHECK(::crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data() + kNonce, nullptr,
                                                           plain.data(), plain.size(), nullptr, 0,
                                                           nullptr, nonce.data(), key.data()) == 0);
}

// The lines between the marks, base64, as bytes.
Result<secret::Buffer> unarmour(ByteView file, std::string_view kind, std::string_view what) {
  const std::string_view text = as_text(file);
  const std::string begin = "-----BEGIN CRYPT4GH " + std::string(kind) + " KEY-----";
  const std::size_t mark = text.find(begin);
  const std::size_t start = mark == std::string_view::npos ? mark : mark + begin.size();
  // Behind the first mark: the two may share dashes.
  const std::size_t end = text.find("-----END CRYPT4GH " + std::string(kind) + " KEY-----", start);
  if (start == std::string_view::npos || end == std::string_view::npos) {
    return bad(what, "is no Crypt4GH " + std::string(kind == "PUBLIC" ? "public" : "private") +
                         " key file");
  }
  secret::Buffer packed(std::max<std::size_t>(end - start, 1));
  std::size_t size = 0;
  for (const char c : text.substr(start, end - start)) {
    if (c != '\n' && c != '\r' && c != ' ') packed.bytes()[size++] = static_cast<Byte>(c);
  }
  secret::Buffer out(std::max<std::size_t>(size, 1));
  const auto decoded = wire::base64_decode(as_text(packed.bytes().first(size)), out.bytes());
  if (!decoded) return bad(what, "its base64 is damaged");
  out.shrink(*decoded);
  return out;
}

// Strings of a key file: big-endian length of two bytes.
class KeyReader {
 public:
  explicit KeyReader(ByteView rest) : rest_(rest) {}
  ByteView raw(std::size_t size) {
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    const ByteView out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  ByteView text() {
    const ByteView size = raw(2);
    return good_ ? raw(static_cast<std::size_t>(size[0]) << 8U | size[1]) : ByteView{};
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  ByteView rest_;
  bool good_ = true;
};

Result<secret::Buffer> unlock_scrypt(ByteView options, ByteView blob, const AskPassphrase& ask,
                                     std::string_view what) {
  constexpr std::size_t kRounds = 4;
  if (options.size() < kRounds + 8 || blob.size() != kNonce + kCrypt4ghKeyBytes + kMac) {
    return bad(what, "its protected key has an impossible length");
  }
  TRY_ASSIGN(const secret::Buffer passphrase, ask());
  secret::Buffer derived(kCrypt4ghKeyBytes);
  const ByteView salt = options.subspan(kRounds);
  // N, r and p as crypt4gh-keygen has them.
  if (::crypto_pwhash_scryptsalsa208sha256_ll(passphrase.bytes().data(), passphrase.size(),
                                              salt.data(), salt.size(), 1U << 14U, 8, 1,
                                              derived.bytes().data(), derived.size()) != 0) {
    return fail(Code::kIo, "no memory for scrypt");
  }
  secret::Buffer key(kCrypt4ghKeyBytes);
  if (!open_box(blob, derived.bytes(), key.bytes())) {
    return fail(Code::kRefused, std::string(what) + ": wrong passphrase", Reason::kPassphraseWrong);
  }
  return key;
}

// What the header gives a reader: keys of the data, and which bytes of them count.
struct Opened {
  std::vector<secret::Buffer> keys;
  std::optional<std::vector<std::uint64_t>> edits;
};

Result<> take_packet(ByteView plain, Opened& opened, std::string_view what) {
  wire::Reader in(plain, "a header packet");
  const std::uint32_t type = in.u32();
  if (type == 0) {
    if (in.u32() != 0) return bad(what, "its data are encrypted by an unknown method");
    const ByteView key = in.raw(kCrypt4ghKeyBytes);
    if (!in.good() || opened.keys.size() >= kMaxDataKeys) return bad(what, "its header is damaged");
    opened.keys.push_back(secret::Buffer::copy_of(key));
  } else if (type == 1) {
    const std::uint32_t number = in.u32();
    if (!in.good() || number > kMaxEdits || number > in.remaining() / 8 || opened.edits) {
      return bad(what, "its edit list is damaged");
    }
    opened.edits.emplace(number);
    for (std::uint64_t& length : *opened.edits) length = in.u64();
  }
  return {};
}

class Decrypter {
 public:
  Decrypter(const Source& source, const secret::Buffer& key, std::string_view what)
      : source_(source), key_(key), public_(public_of(key)), what_(what) {}

  Result<Opened> header() {
    Bytes head(16);
    TRY(exact(head));
    wire::Reader in(head, what_);
    if (as_text(in.raw(kMagic.size())) != kMagic) return bad(what_, "is no Crypt4GH file");
    if (const auto version = in.u32(); version != kVersion) {
      return bad(what_, "Crypt4GH version " + std::to_string(version) + " is not supported; 1 is");
    }
    const std::uint32_t packets = in.u32();
    if (packets == 0 || packets > kMaxPackets) return bad(what_, "an impossible number of packets");
    Opened opened;
    for (std::uint32_t i = 0; i < packets; ++i) TRY(packet(opened));
    if (opened.keys.empty()) {
      return fail(Code::kRefused, std::string(what_) + ": no packet of its header is for this key");
    }
    return opened;
  }

  Result<> blocks(const Opened& opened, const Sink& sink) {
    secret::Buffer sealed(kSealedBlock);
    secret::Buffer plain(kCrypt4ghBlock);
    for (;;) {
      TRY_ASSIGN(const std::size_t got, source_(sealed.bytes()));
      if (got == 0) return {};
      if (got <= kNonce + kMac) return bad(what_, "is cut short");
      const MutableBytes out = plain.bytes().first(got - kNonce - kMac);
      const bool opens = std::ranges::any_of(opened.keys, [&](const secret::Buffer& key) {
        return open_box(sealed.bytes().first(got), key.bytes(), out);
      });
      if (!opens) return bad(what_, "changed or damaged behind byte " + std::to_string(read_));
      read_ += got;
      TRY(edit(out, opened, sink));
      if (got < kSealedBlock) return {};
    }
  }

 private:
  Result<> exact(MutableBytes out) {
    TRY_ASSIGN(const std::size_t got, source_(out));
    read_ += got;
    return got == out.size() ? Result<>() : bad(what_, "is cut short in its header");
  }

  Result<> packet(Opened& opened) {
    Bytes head(4);
    TRY(exact(head));
    const std::size_t size = wire::Reader(head, what_).u32();
    if (size < kPacketHead + kMac || size > kMaxPacket) {
      return bad(what_, "a header packet of impossible length");
    }
    Bytes body(size - 4);
    TRY(exact(body));
    wire::Reader in(body, what_);
    if (in.u32() != 0) return {};  // a method that is not ours: perhaps for another reader
    const ByteView writer = in.raw(kCrypt4ghKeyBytes);
    const auto shared = packet_key(key_.bytes(), writer, public_, writer);
    if (!shared) return {};
    const ByteView sealed = in.raw(in.remaining());
    secret::Buffer plain(sealed.size() - kNonce - kMac);
    if (!open_box(sealed, shared->bytes(), plain.bytes())) return {};
    return take_packet(plain.bytes(), opened, what_);
  }

  // Skip, keep, skip, keep ...; behind an even list nothing counts, behind an odd one all does.
  Result<> edit(ByteView plain, const Opened& opened, const Sink& sink) {
    if (!opened.edits) return sink(plain);
    const auto& list = *opened.edits;
    while (!plain.empty()) {
      const bool over = at_ >= list.size();
      const bool keeps = at_ % 2 == 1;
      const std::uint64_t left = over ? plain.size() : list[at_] - done_;
      const auto part = std::min<std::uint64_t>(left, plain.size());
      if (keeps && part > 0) TRY(sink(plain.first(part)));
      plain = plain.subspan(part);
      if (over) continue;
      done_ += part;
      if (done_ == list[at_]) {
        ++at_;
        done_ = 0;
      }
    }
    return {};
  }

  const Source& source_;
  const secret::Buffer& key_;
  Bytes public_;
  std::string_view what_;
  std::uint64_t read_ = 0;
  std::size_t at_ = 0;  // in the edit list
  std::uint64_t done_ = 0;
};

}  // namespace

bool is_crypt4gh(ByteView first) {
  return first.size() >= kMagic.size() && as_text(first.first(kMagic.size())) == kMagic;
}

Result<secret::Buffer> crypt4gh_private_key(ByteView file, const AskPassphrase& ask,
                                            std::string_view what) {
  TRY_ASSIGN(const secret::Buffer raw, unarmour(file, "PRIVATE", what));
  KeyReader in(raw.bytes());
  if (as_text(in.raw(kKeyMagic.size())) != kKeyMagic) return bad(what, "is no key of Crypt4GH");
  const std::string method(as_text(in.text()));
  const ByteView options = method == "none" ? ByteView{} : in.text();
  const std::string cipher(as_text(in.text()));
  const ByteView blob = in.text();
  if (!in.good()) return bad(what, "its key is damaged");
  if (method == "none" && cipher == "none" && blob.size() == kCrypt4ghKeyBytes) {
    return secret::Buffer::copy_of(blob);
  }
  if (method == "scrypt" && cipher == "chacha20_poly1305") {
    return unlock_scrypt(options, blob, ask, what);
  }
  return fail(Code::kInvalidArgument, std::string(what) + ": a key protected by '" + method +
                                          "' is not supported; none and scrypt are");
}

Result<Bytes> crypt4gh_public_key(ByteView file, std::string_view what) {
  TRY_ASSIGN(const secret::Buffer raw, unarmour(file, "PUBLIC", what));
  if (raw.size() != kCrypt4ghKeyBytes) return bad(what, "its key has not 32 bytes");
  return Bytes(raw.bytes().begin(), raw.bytes().end());
}

Result<> crypt4gh_decrypt(const Source& source, const secret::Buffer& key, const Sink& sink,
                          std::string_view what) {
  if (key.size() != kCrypt4ghKeyBytes) return fail(Code::kInvalidArgument, "a key of 32 bytes");
  Decrypter decrypter(source, key, what);
  TRY_ASSIGN(const Opened opened, decrypter.header());
  return decrypter.blocks(opened, sink);
}

Result<> crypt4gh_encrypt(const Source& source, ByteView reader_key, const Sink& sink,
                          os::Random& random) {
  if (reader_key.size() != kCrypt4ghKeyBytes) {
    return fail(Code::kInvalidArgument, "a public key of 32 bytes");
  }
  secret::Buffer writer(kCrypt4ghKeyBytes);
  secret::Buffer data_key(kCrypt4ghKeyBytes);
  random.fill(writer.bytes());
  random.fill(data_key.bytes());
  const Bytes writer_public = public_of(writer);
  TRY_ASSIGN(const secret::Buffer shared,
             packet_key(writer.bytes(), reader_key, reader_key, writer_public));
  secret::Buffer packet(8 + kCrypt4ghKeyBytes);  // type 0, method 0, key
  copy_bytes(packet.bytes().subspan(8), data_key.bytes());
  Bytes nonce(kNonce);
  random.fill(nonce);
  Bytes sealed_packet(packet.size() + kNonce + kMac);
  seal_box(packet.bytes(), shared.bytes(), nonce, sealed_packet);
  wire::Writer head;
  head.raw(as_bytes(kMagic));
  head.u32(kVersion);
  head.u32(1);
  head.u32(static_cast<std::uint32_t>(8 + kCrypt4ghKeyBytes + sealed_packet.size()));
  head.u32(0);
  head.raw(writer_public);
  head.raw(sealed_packet);
  TRY(sink(head.bytes()));
  secret::Buffer plain(kCrypt4ghBlock);
  Bytes sealed(kSealedBlock);
  for (;;) {
    TRY_ASSIGN(const std::size_t got, source(plain.bytes()));
    if (got == 0) return {};
    random.fill(nonce);
    const MutableBytes out = MutableBytes(sealed).first(got + kNonce + kMac);
    seal_box(plain.bytes().first(got), data_key.bytes(), nonce, out);
    TRY(sink(out));
    if (got < kCrypt4ghBlock) return {};
  }
}

}  // namespace warifu::genome
