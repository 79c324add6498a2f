// zlib.
#include "base/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>

namespace warifu {
namespace {

constexpr int kGzipWindow = 15 + 16;
constexpr int kBareWindow = -15;
constexpr std::size_t kStep = 1U << 16U;

// z_stream with its end; inflating.
class Inflater {
 public:
  explicit Inflater(int window) { ready_ = ::inflateInit2(&stream_, window) == Z_OK; }
  ~Inflater() { (void)::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  [[nodiscard]] bool ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

// All of `plain` at once; how many bytes it became.
std::size_t deflate_all(z_stream& z, ByteView plain, MutableBytes out) {
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  WARIFU_CHECK(plain.size() <= kMost && out.size() <= kMost);
  // zlib's input pointer is not const, but is never written through.
  z.next_in = const_cast<Byte*>(plain.data());
  z.avail_in = static_cast<uInt>(plain.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  const int state = ::deflate(&z, Z_FINISH);
  const std::size_t bytes = z.total_out;
  (void)::deflateEnd(&z);
  WARIFU_CHECK(state == Z_STREAM_END);
  return bytes;
}

}  // namespace

Result<Bytes> gunzip(ByteView file, std::uint64_t most, std::string_view what) {
  const auto bad = [&](const std::string& why) {
    return fail(Code::kCorrupt, std::string(what) + ": " + why);
  };
  Inflater inflater(kGzipWindow);
  if (!inflater.ready()) return fail(Code::kIo, "no memory to inflate " + std::string(what));
  z_stream& z = inflater.stream();
  Bytes out;
  Bytes step(kStep);
  std::size_t fed = 0;
  int state = Z_OK;
  for (;;) {
    if (z.avail_in == 0 && fed < file.size()) {
      const std::size_t part = std::min(kStep, file.size() - fed);
      z.next_in = const_cast<Byte*>(file.data() + fed);
      z.avail_in = static_cast<uInt>(part);
      fed += part;
    }
    z.next_out = step.data();
    z.avail_out = static_cast<uInt>(step.size());
    state = ::inflate(&z, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
      return bad("its gzip data are damaged after " + std::to_string(out.size()) + " bytes");
    }
    const std::size_t got = step.size() - z.avail_out;
    if (out.size() + got > most) {
      return bad("inflates to more than " + std::to_string(most) + " bytes");
    }
    out.insert(out.end(), step.begin(), step.begin() + static_cast<std::ptrdiff_t>(got));
    const bool fed_all = z.avail_in == 0 && fed == file.size();
    if (state == Z_STREAM_END) {
      if (fed_all) return out;
      if (::inflateReset(&z) != Z_OK) return bad("its gzip data are damaged");
    } else if (got == 0 && fed_all) {
      return bad("is cut short: its gzip data do not end");
    }
  }
}

Bytes gzip(ByteView plain) {
  z_stream z{};
  WARIFU_CHECK(::deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 9,
                              Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(::deflateBound(&z, plain.size()));
  out.resize(deflate_all(z, plain, out));
  return out;
}

std::optional<std::size_t> inflate_bare(ByteView deflated, MutableBytes out) {
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  Inflater inflater(kBareWindow);
  if (!inflater.ready() || deflated.size() > kMost || out.size() > kMost) return std::nullopt;
  z_stream& z = inflater.stream();
  z.next_in = const_cast<Byte*>(deflated.data());
  z.avail_in = static_cast<uInt>(deflated.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  if (::inflate(&z, Z_FINISH) != Z_STREAM_END) return std::nullopt;
  return z.total_out;
}

std::size_t deflate_bare(ByteView plain, MutableBytes out) {
  z_stream z{};
  WARIFU_CHECK(::deflateInit2(&z, 1, Z_DEFLATED, kBareWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  return deflate_all(z, plain, out);
}

std::uint32_t gzip_crc(ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, bytes.data(), bytes.size()));
}

}  // namespace warifu
