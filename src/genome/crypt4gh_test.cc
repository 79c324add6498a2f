// Round trips, edit lists, keys of both kinds, and every byte changed. The file of another writer
// is one that GA4GH's own tool made would look like: built here by hand from the standard's text.
#include "genome/crypt4gh.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>

#include "wire/wire.h"

namespace warifu::genome {
namespace {

Source source_of(ByteView bytes) {
  return [rest = bytes](MutableBytes out) mutable -> Result<std::size_t> {
    const std::size_t part = std::min(out.size(), rest.size());
    copy_bytes(out, rest.first(part));
    rest = rest.subspan(part);
    return part;
  };
}

struct Pair {
  secret::Buffer own = secret::Buffer(32);
  Bytes open = Bytes(32);
  Pair() {
    os::kernel_random().fill(own.bytes());
    EXPECT_EQ(::crypto_scalarmult_base(open.data(), own.bytes().data()), 0);
  }
};

Bytes encrypted(ByteView plain, const Pair& reader) {
  Bytes out;
  const auto done = crypt4gh_encrypt(
      source_of(plain), reader.open,
      [&](ByteView part) -> Result<> {
        out.insert(out.end(), part.begin(), part.end());
        return {};
      },
      os::kernel_random());
  EXPECT_TRUE(done);
  return out;
}

Result<Bytes> decrypted(ByteView file, const Pair& reader) {
  Bytes out;
  TRY(crypt4gh_decrypt(
      source_of(file), reader.own,
      [&](ByteView part) -> Result<> {
        out.insert(out.end(), part.begin(), part.end());
        return {};
      },
      "x.c4gh"));
  return out;
}

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(i * 7 + i / 251);
  return bytes;
}

TEST(Crypt4ghTest, EveryLengthComesBackAndNobodyElseReadsIt) {
  const Pair reader;
  for (const std::size_t size : {0UL, 1UL, 65'535UL, 65'536UL, 65'537UL, 200'000UL}) {
    const Bytes plain = pattern(size);
    const Bytes file = encrypted(plain, reader);
    EXPECT_TRUE(is_crypt4gh(file));
    EXPECT_EQ(file.size(), 124 + size + 28 * ((size + 65'535) / 65'536));
    const auto back = decrypted(file, reader);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, plain);
    EXPECT_EQ(decrypted(file, Pair()).error().code, Code::kRefused);
  }
}

TEST(Crypt4ghTest, NoChangedByteAndNoCutIsTakenForTheFile) {
  const Pair reader;
  const Bytes plain = pattern(1'000);
  const Bytes file = encrypted(plain, reader);
  for (std::size_t at = 0; at < file.size(); ++at) {
    Bytes bad = file;
    bad[at] ^= 0x20U;
    EXPECT_FALSE(decrypted(bad, reader)) << at;
  }
  // A whole header without blocks is an empty file: the format does not tell.
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto cut = decrypted(ByteView(file).first(size), reader);
    EXPECT_TRUE(!cut || size == 124) << size;
  }
}

// A header packet around `payload`, as another writer makes it with libsodium's key exchange.
Bytes packet_of(ByteView payload, const Pair& writer, const Pair& reader) {
  Bytes rx(32), tx(32);
  EXPECT_EQ(::crypto_kx_server_session_keys(rx.data(), tx.data(), writer.open.data(),
                                            writer.own.bytes().data(), reader.open.data()),
            0);
  const Bytes nonce(12, 7);
  Bytes sealed(payload.size() + 16);
  (void)::crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, payload.data(),
                                                    payload.size(), nullptr, 0, nullptr,
                                                    nonce.data(), tx.data());
  wire::Writer out;
  out.u32(static_cast<std::uint32_t>(4 + 4 + 32 + 12 + sealed.size()));
  out.u32(0);
  out.raw(writer.open);
  out.raw(nonce);
  out.raw(sealed);
  return out.take();
}

TEST(Crypt4ghTest, AnotherWritersPacketsAndEditListsAreRead) {
  const Pair reader, writer, stranger;
  const Bytes key(32, 9);
  const Bytes plain = pattern(100'000);
  const auto file_with = [&](const std::vector<std::uint64_t>& edits) {
    wire::Writer data;
    data.u32(0);
    data.u32(0);
    data.raw(key);
    wire::Writer list;
    list.u32(1);
    list.u32(static_cast<std::uint32_t>(edits.size()));
    for (const std::uint64_t length : edits) list.u64(length);
    wire::Writer out;
    out.raw(as_bytes("crypt4gh"));
    out.u32(1);
    out.u32(edits.empty() ? 2 : 3);
    out.raw(packet_of(data.bytes(), writer, stranger));  // not ours
    out.raw(packet_of(data.bytes(), writer, reader));
    if (!edits.empty()) out.raw(packet_of(list.bytes(), writer, reader));
    for (std::size_t at = 0; at < plain.size(); at += kCrypt4ghBlock) {
      const ByteView part =
          ByteView(plain).subspan(at, std::min(kCrypt4ghBlock, plain.size() - at));
      const Bytes nonce(12, static_cast<Byte>(at >> 16U));
      Bytes sealed(part.size() + 16);
      (void)::crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, part.data(),
                                                        part.size(), nullptr, 0, nullptr,
                                                        nonce.data(), key.data());
      out.raw(nonce);
      out.raw(sealed);
    }
    return out.take();
  };
  const auto part = [&](std::size_t from, std::size_t to) {
    return Bytes(plain.begin() + static_cast<std::ptrdiff_t>(from),
                 plain.begin() + static_cast<std::ptrdiff_t>(to));
  };
  EXPECT_EQ(*decrypted(file_with({}), reader), plain);
  EXPECT_EQ(*decrypted(file_with({10, 20}), reader), part(10, 30));
  EXPECT_EQ(*decrypted(file_with({65'530}), reader), part(65'530, 100'000));
  Bytes two = part(0, 5);
  const Bytes rest = part(70'000, 70'003);
  two.insert(two.end(), rest.begin(), rest.end());
  EXPECT_EQ(*decrypted(file_with({0, 5, 69'995, 3}), reader), two);
}

std::string armoured(std::string_view kind, ByteView bytes) {
  std::string text(wire::base64_length(bytes.size()), ' ');
  wire::base64_encode(bytes, text);
  return "-----BEGIN CRYPT4GH " + std::string(kind) + " KEY-----\n" + text +
         "\n-----END CRYPT4GH " + std::string(kind) + " KEY-----\n";
}

void put_text(Bytes& out, ByteView text) {
  out.push_back(static_cast<Byte>(text.size() >> 8U));
  out.push_back(static_cast<Byte>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
}

// Found by fuzzing: the second mark was looked for in the first one too.
TEST(Crypt4ghKeyTest, MarksThatShareDashesAreNoKey) {
  const auto nobody = []() -> Result<secret::Buffer> { return fail(Code::kIo, "asked"); };
  for (const char* text : {"-----BEGIN CRYPT4GH PRIVATE KEY-----END CRYPT4GH PRIVATE KEY-----",
                           "-----END CRYPT4GH PRIVATE KEY-----BEGIN CRYPT4GH PRIVATE KEY-----"}) {
    EXPECT_FALSE(crypt4gh_private_key(as_bytes(text), nobody, "x")) << text;
  }
}

TEST(Crypt4ghKeyTest, PlainAndProtectedKeysAreRead) {
  const Pair pair;
  const auto nobody = []() -> Result<secret::Buffer> { return fail(Code::kIo, "asked"); };
  Bytes raw(as_bytes("c4gh-v1").begin(), as_bytes("c4gh-v1").end());
  put_text(raw, as_bytes("none"));
  put_text(raw, as_bytes("none"));
  put_text(raw, pair.own.bytes());
  const auto plain = crypt4gh_private_key(as_bytes(armoured("PRIVATE", raw)), nobody, "k");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_TRUE(std::ranges::equal(plain->bytes(), pair.own.bytes()));
  EXPECT_EQ(*crypt4gh_public_key(as_bytes(armoured("PUBLIC", pair.open)), "k"), pair.open);

  Bytes derived(32);
  const Bytes salt(16, 3);
  ASSERT_EQ(::crypto_pwhash_scryptsalsa208sha256_ll(as_bytes("secret").data(), 6, salt.data(), 16,
                                                    1 << 14, 8, 1, derived.data(), 32),
            0);
  Bytes blob(12 + 32 + 16, 5);
  (void)::crypto_aead_chacha20poly1305_ietf_encrypt(blob.data() + 12, nullptr,
                                                    pair.own.bytes().data(), 32, nullptr, 0,
                                                    nullptr, blob.data(), derived.data());
  Bytes options(4);
  options.insert(options.end(), salt.begin(), salt.end());
  Bytes locked(as_bytes("c4gh-v1").begin(), as_bytes("c4gh-v1").end());
  put_text(locked, as_bytes("scrypt"));
  put_text(locked, options);
  put_text(locked, as_bytes("chacha20_poly1305"));
  put_text(locked, blob);
  const std::string file = armoured("PRIVATE", locked);
  const auto says = [](std::string_view word) {
    return [word]() -> Result<secret::Buffer> { return secret::Buffer::copy_of(as_bytes(word)); };
  };
  const auto opened = crypt4gh_private_key(as_bytes(file), says("secret"), "k");
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(std::ranges::equal(opened->bytes(), pair.own.bytes()));
  EXPECT_EQ(crypt4gh_private_key(as_bytes(file), says("wrong"), "k").error().code, Code::kRefused);
  for (std::size_t size = 0; size < raw.size(); ++size) {
    EXPECT_FALSE(crypt4gh_private_key(as_bytes(armoured("PRIVATE", ByteView(raw).first(size))),
                                      nobody, "k"));
  }
}

}  // namespace
}  // namespace warifu::genome
