// EV2 and EV1 secure messaging.
#include "card/desfire_messaging.h"

#include <algorithm>

namespace warifu::card::desfire {
namespace {

using crypto::AesBlock;
using crypto::kAesBlockBytes;

Error wrong() {
  return {Code::kCorrupt,
          "the card's message fails its check: changed on the way, or not this card"};
}

secret::Buffer padded(ByteView data) {
  secret::Buffer out((data.size() / kAesBlockBytes + 1) * kAesBlockBytes);
  copy_bytes(out.bytes(), data);
  out.bytes()[data.size()] = 0x80;
  return out;
}

// The MAC has been checked, so that the place of the padding is no oracle.
Result<secret::Buffer> unpadded(secret::Buffer data) {
  std::size_t end = data.size();
  while (end > 0 && data.bytes()[end - 1] == 0) --end;
  if (end == 0 || data.bytes()[end - 1] != 0x80) return std::unexpected(wrong());
  data.shrink(end - 1);
  return data;
}

class Ev2 final : public Messaging {
 public:
  explicit Ev2(Ev2Keys keys) : keys_(std::move(keys)) {}

  Result<secret::Buffer> protect_command(Command command, ByteView header, ByteView data,
                                         Comm comm) override {
    if (keys_.counter == UINT16_MAX) return fail(Code::kRefused, "the card's session is used up");
    secret::Buffer out = joined({header, data});
    if (comm == Comm::kFull && !data.empty()) {
      out = joined({header, enciphered(kCommandLabel, data).bytes()});
    }
    if (comm != Comm::kPlain) {
      out = joined({out.bytes(), mac(static_cast<Byte>(command), out.bytes())});
    }
    ++keys_.counter;
    return out;
  }

  Result<secret::Buffer> open_answer(ByteView answer, Comm comm) override {
    if (comm == Comm::kPlain) return secret::Buffer::copy_of(answer);
    if (answer.size() < kMacBytes) return std::unexpected(wrong());
    const ByteView data = answer.first(answer.size() - kMacBytes);
    if (!secret::equal(mac(0, data), answer.last(kMacBytes))) return std::unexpected(wrong());
    return comm == Comm::kFull ? deciphered(kAnswerLabel, data) : secret::Buffer::copy_of(data);
  }

  Result<secret::Buffer> open_command(Command command, ByteView received, Comm comm) override {
    const std::size_t header = header_bytes(command);
    const std::size_t tail = comm == Comm::kPlain ? 0 : kMacBytes;
    if (keys_.counter == UINT16_MAX || received.size() < header + tail) {
      return std::unexpected(wrong());
    }
    const ByteView before = received.first(received.size() - tail);
    if (tail > 0 &&
        !secret::equal(mac(static_cast<Byte>(command), before), received.last(kMacBytes))) {
      return std::unexpected(wrong());
    }
    secret::Buffer out = secret::Buffer::copy_of(before);
    if (comm == Comm::kFull && before.size() > header) {
      TRY_ASSIGN(const secret::Buffer data, deciphered(kCommandLabel, before.subspan(header)));
      out = joined({before.first(header), data.bytes()});
    }
    ++keys_.counter;
    return out;
  }

  secret::Buffer protect_answer(ByteView data, Comm comm) override {
    secret::Buffer out = secret::Buffer::copy_of(data);
    if (comm == Comm::kFull && !data.empty()) out = enciphered(kAnswerLabel, data);
    if (comm == Comm::kPlain) return out;
    return joined({out.bytes(), mac(0, out.bytes())});
  }

 private:
  using Label = std::array<Byte, 2>;
  static constexpr Label kCommandLabel = {0xA5, 0x5A};
  static constexpr Label kAnswerLabel = {0x5A, 0xA5};

  [[nodiscard]] std::array<Byte, 2> counter() const {
    return {static_cast<Byte>(keys_.counter), static_cast<Byte>(keys_.counter >> 8)};
  }

  [[nodiscard]] std::array<Byte, kMacBytes> mac(Byte code, ByteView data) const {
    const secret::Buffer input =
        joined({std::array<Byte, 1>{code}, counter(), keys_.transaction, data});
    const AesBlock whole = crypto::aes128_cmac(keys_.mac.bytes(), input.bytes());
    std::array<Byte, kMacBytes> out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = whole[2 * i + 1];
    return out;
  }

  [[nodiscard]] AesBlock iv(const Label& label) const {
    AesBlock iv{};
    copy_bytes(iv, label);
    copy_bytes(MutableBytes(iv).subspan(2), keys_.transaction);
    copy_bytes(MutableBytes(iv).subspan(6), counter());
    crypto::aes128_cbc_encrypt(keys_.encryption.bytes(), {}, iv, iv);
    return iv;
  }

  [[nodiscard]] secret::Buffer enciphered(const Label& label, ByteView data) const {
    secret::Buffer out = padded(data);
    crypto::aes128_cbc_encrypt(keys_.encryption.bytes(), iv(label), out.bytes(), out.bytes());
    return out;
  }

  [[nodiscard]] Result<secret::Buffer> deciphered(const Label& label, ByteView data) const {
    if (data.empty()) return secret::Buffer();
    if (data.size() % kAesBlockBytes != 0) return std::unexpected(wrong());
    secret::Buffer out(data.size());
    crypto::aes128_cbc_decrypt(keys_.encryption.bytes(), iv(label), data, out.bytes());
    return unpadded(std::move(out));
  }

  Ev2Keys keys_;
};

class Ev1 final : public Messaging {
 public:
  explicit Ev1(secret::Buffer key) : key_(std::move(key)) {}

  Result<secret::Buffer> protect_command(Command command, ByteView header, ByteView data,
                                         Comm comm) override {
    if (comm == Comm::kFull) return std::unexpected(unsupported());
    secret::Buffer out = joined({header, data});
    chain(joined({std::array<Byte, 1>{static_cast<Byte>(command)}, out.bytes()}).bytes());
    if (comm == Comm::kMac && !data.empty()) {
      out = joined({out.bytes(), ByteView(iv_).first(kMacBytes)});
    }
    return out;
  }

  // Every answer has a MAC, whatever the command had.
  Result<secret::Buffer> open_answer(ByteView answer, Comm comm) override {
    if (comm == Comm::kFull) return std::unexpected(unsupported());
    if (answer.size() < kMacBytes) return std::unexpected(wrong());
    const ByteView data = answer.first(answer.size() - kMacBytes);
    chain(joined({data, std::array<Byte, 1>{0}}).bytes());
    if (!secret::equal(ByteView(iv_).first(kMacBytes), answer.last(kMacBytes))) {
      return std::unexpected(wrong());
    }
    return secret::Buffer::copy_of(data);
  }

  Result<secret::Buffer> open_command(Command command, ByteView received, Comm comm) override {
    if (comm == Comm::kFull) return std::unexpected(unsupported());
    const bool has_data = received.size() > header_bytes(command);
    const std::size_t tail = comm == Comm::kMac && has_data ? kMacBytes : 0;
    if (received.size() < header_bytes(command) + tail) return std::unexpected(wrong());
    const ByteView before = received.first(received.size() - tail);
    chain(joined({std::array<Byte, 1>{static_cast<Byte>(command)}, before}).bytes());
    if (tail > 0 && !secret::equal(ByteView(iv_).first(kMacBytes), received.last(kMacBytes))) {
      return std::unexpected(wrong());
    }
    return secret::Buffer::copy_of(before);
  }

  secret::Buffer protect_answer(ByteView data, Comm) override {
    chain(joined({data, std::array<Byte, 1>{0}}).bytes());
    return joined({data, ByteView(iv_).first(kMacBytes)});
  }

 private:
  static Error unsupported() {
    return {Code::kInvalidArgument, "enciphered data needs an EV2 session"};
  }
  void chain(ByteView message) { iv_ = crypto::aes128_cmac(key_.bytes(), message, iv_); }

  secret::Buffer key_;
  AesBlock iv_{};
};

}  // namespace

Ev2Keys ev2_keys(const Ev2Start& start) {
  std::array<Byte, 32> vector = {0, 0, 0x00, 0x01, 0x00, 0x80};
  const MutableBytes out = vector;
  copy_bytes(out.subspan(6), ByteView(start.rnd_a).first(2));
  for (std::size_t i = 0; i < 6; ++i) {
    vector[8 + i] = static_cast<Byte>(start.rnd_a[2 + i] ^ start.rnd_b[i]);
  }
  copy_bytes(out.subspan(14), ByteView(start.rnd_b).subspan(6));
  copy_bytes(out.subspan(24), ByteView(start.rnd_a).subspan(8));
  const auto derived = [&](Byte first, Byte second) {
    vector[0] = first;
    vector[1] = second;
    return secret::Buffer::copy_of(crypto::aes128_cmac(start.key, vector));
  };
  Ev2Keys keys{derived(0xA5, 0x5A), derived(0x5A, 0xA5), start.transaction, 0};
  secret::wipe(vector);
  return keys;
}

std::unique_ptr<Messaging> make_ev2(Ev2Keys keys) {
  return std::make_unique<Ev2>(std::move(keys));
}

secret::Buffer ev1_key(const Random16& rnd_a, const Random16& rnd_b) {
  return joined({ByteView(rnd_a).first(4), ByteView(rnd_b).first(4), ByteView(rnd_a).last(4),
                 ByteView(rnd_b).last(4)});
}

std::unique_ptr<Messaging> make_ev1(secret::Buffer session_key) {
  return std::make_unique<Ev1>(std::move(session_key));
}

Random16 rotated(const Random16& random) {
  Random16 out = random;
  std::ranges::rotate(out, out.begin() + 1);
  return out;
}

secret::Buffer key_data(ByteView fresh, Byte version, ByteView old) {
  const std::array<Byte, 1> last = {version};
  if (old.empty()) return joined({fresh, last});
  WARIFU_CHECK(old.size() == fresh.size());
  secret::Buffer mixed = secret::Buffer::copy_of(fresh);
  for (std::size_t i = 0; i < old.size(); ++i) {
    mixed.bytes()[i] = static_cast<Byte>(mixed.bytes()[i] ^ old[i]);
  }
  const std::uint32_t crc = desfire_crc32(fresh);
  const std::array<Byte, 4> tail = {static_cast<Byte>(crc), static_cast<Byte>(crc >> 8),
                                    static_cast<Byte>(crc >> 16), static_cast<Byte>(crc >> 24)};
  return joined({mixed.bytes(), last, tail});
}

std::uint32_t desfire_crc32(ByteView bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const Byte byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1U)));
  }
  return crc;
}

}  // namespace warifu::card::desfire
