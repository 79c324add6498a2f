// Parsers of genome files that run outside the sandboxed process: indexes, what is cut by them,
// headers, Crypt4GH; and the answers of that process.
#include "fuzz/fuzz.h"
#include "genome/crypt4gh.h"
#include "genome/header.h"
#include "genome/local.h"
#include "genome/task.h"

namespace warifu::fuzz {
namespace {

using namespace genome;

constexpr WholeFile kFile{1'000'000, 28};

// Whatever the index says, nothing outside the file is asked for, and ranges ascend.
void cut_by(const Index& index) {
  const std::vector<std::vector<Region>> wishes = {
      {}, {{0, 0, 1}}, {{0, 100'000, 200'000}, {1, 5, kEndOfReference}}, {{kUnplaced, 0, 0}}};
  for (const auto& regions : wishes) {
    const auto made = cut(index, regions, kFile);
    if (!made) continue;
    std::uint64_t at = 0;
    for (const ByteRange& range : made->ranges()) {
      require(range.begin >= at && range.begin <= range.end && range.end <= kFile.bytes);
      at = range.end;
    }
    const auto zeros = [](std::uint64_t, MutableBytes out) -> Result<> {
      std::ranges::fill(out, Byte{0});
      return {};
    };
    (void)join(*made, zeros, [](ByteView) -> Result<> { return {}; }, "x");
  }
  std::string difference;
  require(compare_indexes(index, index, difference) != IndexState::kDiffers);
}

void decrypt(ByteView bytes) {
  static const secret::Buffer key = secret::Buffer::copy_of(Bytes(32, 7));
  const auto source = [rest = bytes](MutableBytes out) mutable -> Result<std::size_t> {
    const std::size_t part = std::min(out.size(), rest.size());
    copy_bytes(out, rest.first(part));
    rest = rest.subspan(part);
    return part;
  };
  (void)crypt4gh_decrypt(source, key, [](ByteView) -> Result<> { return {}; }, "x");
  (void)crypt4gh_public_key(bytes, "x");
  const auto nobody = []() -> Result<secret::Buffer> { return fail(Code::kIo, "asked"); };
  (void)crypt4gh_private_key(bytes, nobody, "x");
}

}  // namespace

void run(ByteView input) {
  if (input.empty()) return;
  const ByteView bytes = input.subspan(1);
  switch (input[0] % 5) {
    case 0:
      if (const auto index = parse_index(bytes, "x")) cut_by(*index);
      break;
    case 1: (void)parse_header(bytes, "x"); break;
    case 2: decrypt(bytes); break;
    case 3:
      if (const auto task = parse_task(bytes)) {
        require(parse_task(encode_task(*task)).has_value());
      }
      break;
    default:
      (void)parse_inspection(bytes);
      (void)parse_digest(bytes);
      (void)parse_trim_report(bytes);
      (void)parse_pileup(bytes);
  }
}

}  // namespace warifu::fuzz
