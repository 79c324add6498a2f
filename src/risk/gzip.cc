// zlib's inflate, member after member.
#include "risk/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace warifu::risk {
namespace {

constexpr std::size_t kStepBytes = 1 << 16;
constexpr int kGzipOnly = 16 + MAX_WBITS;

struct Inflater {
  z_stream stream{};
  bool is_open = false;
  ~Inflater() {
    if (is_open) inflateEnd(&stream);
  }
};

}  // namespace

Result<std::string> unpacked_text(ByteView bytes, std::size_t most) {
  const auto too_much = [&] {
    return fail(Code::kInvalidArgument, "more than " + std::to_string(most) + " bytes of text");
  };
  const bool is_gzip = bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  if (!is_gzip) {
    if (bytes.size() > most) return too_much();
    return std::string(as_text(bytes));
  }
  if (bytes.size() > std::numeric_limits<uInt>::max()) return too_much();
  Inflater inflater;
  z_stream& stream = inflater.stream;
  stream.next_in = const_cast<Bytef*>(bytes.data());  // zlib's interface; it does not write there
  stream.avail_in = static_cast<uInt>(bytes.size());
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return fail(Code::kIo, "zlib has no memory");
  inflater.is_open = true;
  std::string text;
  for (;;) {
    const std::size_t had = text.size();
    if (had > most) return too_much();
    text.resize(had + kStepBytes);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + had);
    stream.avail_out = static_cast<uInt>(kStepBytes);
    const int state = inflate(&stream, Z_NO_FLUSH);
    text.resize(had + kStepBytes - stream.avail_out);
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return fail(Code::kCorrupt, "the gzip is damaged");
      continue;
    }
    if (state != Z_OK) return fail(Code::kCorrupt, "the gzip is damaged or cut off");
  }
  if (text.size() > most) return too_much();
  return text;
}

}  // namespace warifu::risk
