// One-time pad and one-time tag.
#include "otp/otp.h"

namespace warifu::otp {
namespace {

// The fused pass takes whole words; what is left of the data is at most 31 bytes.
constexpr std::size_t kWord = kernels::kWordBytes;

mac::Hasher begin(const mac::Key& key, ByteView header) {
  WARIFU_CHECK(header.size() % mac::kBlockBytes == 0);
  mac::Hasher hasher(key);
  hasher.update(header);
  return hasher;
}

kernels::XorPass pass_over(MutableBytes data, ByteView pad) {
  return {.x = data.data(), .y = pad.data(), .out = data.data(), .bytes = data.size()};
}

mac::Tag masked(const mac::Hasher& hasher, ByteView mask) {
  mac::Tag tag = hasher.finish();
  kernels::best().xor_bytes(pass_over(tag, mask.first(tag.size())));
  return tag;
}

}  // namespace

mac::Tag seal(secret::Pad&& pad, const mac::Key& key, ByteView header, MutableBytes data) {
  const secret::Pad used = std::move(pad);
  WARIFU_CHECK(used.size() == pad_needed(data.size()));
  mac::Hasher hasher = begin(key, header);
  const MutableBytes words = data.first(data.size() / kWord * kWord);
  const MutableBytes rest = data.subspan(words.size());
  kernels::best().seal(pass_over(words, used.bytes()), hasher.running());
  kernels::best().xor_bytes(pass_over(rest, used.bytes().subspan(words.size())));
  hasher.update(rest);
  return masked(hasher, used.bytes().subspan(data.size()));
}

Result<> open(secret::Pad&& pad, const mac::Key& key, ByteView header, MutableBytes data,
              ByteView tag) {
  const secret::Pad used = std::move(pad);
  WARIFU_CHECK(used.size() == pad_needed(data.size()));
  mac::Hasher hasher = begin(key, header);
  const MutableBytes words = data.first(data.size() / kWord * kWord);
  const MutableBytes rest = data.subspan(words.size());
  kernels::best().open(pass_over(words, used.bytes()), hasher.running());
  hasher.update(rest);
  const mac::Tag expected = masked(hasher, used.bytes().subspan(data.size()));
  if (!secret::equal(expected, tag)) {
    // What the pass has decrypted becomes ciphertext again; nobody else has seen it.
    kernels::best().xor_bytes(pass_over(words, used.bytes()));
    return fail(Code::kProtocol, "a frame's tag is wrong: changed on the way or pools out of step");
  }
  kernels::best().xor_bytes(pass_over(rest, used.bytes().subspan(words.size())));
  return {};
}

}  // namespace warifu::otp
