// One-time pad and one-time tag.
#include "otp/otp.h"

namespace warifu::otp {
namespace {

void xor_into(MutableBytes data, ByteView pad) {
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<Byte>(data[i] ^ pad[i]);
}

mac::Tag tag_of(const mac::Key& key, ByteView header, ByteView ciphertext, ByteView mask) {
  WARIFU_CHECK(header.size() % mac::kBlockBytes == 0);
  mac::Hasher hasher(key);
  hasher.update(header);
  hasher.update(ciphertext);
  mac::Tag tag = hasher.finish();
  xor_into(tag, mask);
  return tag;
}

}  // namespace

mac::Tag seal(secret::Pad&& pad, const mac::Key& key, ByteView header, MutableBytes data) {
  const secret::Pad used = std::move(pad);
  WARIFU_CHECK(used.size() == pad_needed(data.size()));
  xor_into(data, used.bytes().first(data.size()));
  return tag_of(key, header, data, used.bytes().subspan(data.size()));
}

Result<> open(secret::Pad&& pad, const mac::Key& key, ByteView header, MutableBytes data,
              ByteView tag) {
  const secret::Pad used = std::move(pad);
  WARIFU_CHECK(used.size() == pad_needed(data.size()));
  const mac::Tag expected = tag_of(key, header, data, used.bytes().subspan(data.size()));
  if (!secret::equal(expected, tag)) {
    return fail(Code::kProtocol, "a frame's tag is wrong: changed on the way or pools out of step");
  }
  xor_into(data, used.bytes().first(data.size()));
  return {};
}

}  // namespace warifu::otp
