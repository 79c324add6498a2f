// Letters and their numbers; bytes.
#include "sharing/share_path.h"

#include <algorithm>

namespace warifu::sharing {
namespace {

constexpr std::size_t kLetters = 26;

std::string letters(char first, std::size_t index) {
  const char last = static_cast<char>(first + static_cast<int>(index % kLetters));
  return index < kLetters ? std::string(1, last) : std::string(1, first) + last;
}

// One step of a name, at this depth.
std::string step_text(std::size_t depth, std::size_t index) {
  if (depth == 0) return letters('A', index);
  return depth % 2 == 1 ? std::to_string(index + 1) : letters('a', index);
}

}  // namespace

Result<SharePath> SharePath::parse(const std::string& text) {
  SharePath path;
  std::size_t at = 0;
  while (at < text.size() && path.size_ < kMaxSteps) {
    std::size_t taken = 0;  // by the longest step that fits: "AB" is one, as "12" is
    std::size_t index = 0;
    for (std::size_t i = 0; i < kMaxShares; ++i) {
      const std::string wanted = step_text(path.size_, i);
      if (wanted.size() <= taken || text.compare(at, wanted.size(), wanted) != 0) continue;
      taken = wanted.size();
      index = i;
    }
    if (taken == 0) break;
    path = path.part(index);
    at += taken;
  }
  if (path.is_object() || at != text.size()) {
    return fail(Code::kInvalidArgument, "'" + text + "' is not the name of a share");
  }
  return path;
}

Result<SharePath> SharePath::from_steps(ByteView steps) {
  const bool sane = !steps.empty() && steps.size() <= kMaxSteps &&
                    std::ranges::all_of(steps, [](Byte step) { return step < kMaxShares; });
  if (!sane) return fail(Code::kInvalidArgument, "these are no steps to a share");
  SharePath path;
  std::ranges::copy(steps, path.steps_.begin());
  path.size_ = static_cast<std::uint8_t>(steps.size());
  return path;
}

std::uint8_t SharePath::step(std::size_t depth) const {
  WARIFU_CHECK(depth < size_);
  return steps_[depth];
}

SharePath SharePath::above(std::size_t steps) const {
  WARIFU_CHECK(steps <= size_);
  SharePath path;
  std::copy_n(steps_.begin(), steps, path.steps_.begin());
  path.size_ = static_cast<std::uint8_t>(steps);
  return path;
}

SharePath SharePath::part(std::size_t index) const {
  WARIFU_CHECK(size_ < kMaxSteps && index < kMaxShares);
  SharePath path = *this;
  path.steps_[path.size_++] = static_cast<std::uint8_t>(index);
  return path;
}

bool SharePath::is_within(const SharePath& other) const {
  return size_ >= other.size_ && above(other.size_) == other;
}

std::string SharePath::text() const {
  std::string name;
  for (std::size_t depth = 0; depth < size_; ++depth) name += step_text(depth, steps_[depth]);
  return name;
}

void write_path(wire::Writer& writer, const SharePath& path) {
  WARIFU_CHECK(!path.is_object());
  std::array<Byte, SharePath::kMaxSteps> steps{};
  std::ranges::copy(path.steps(), steps.begin());
  writer.u8(static_cast<std::uint8_t>(path.size()));
  writer.raw(steps);
}

SharePath read_path(wire::Reader& reader) {
  const std::size_t size = reader.u8();
  const ByteView steps = reader.raw(SharePath::kMaxSteps);
  if (!reader.good()) return {};
  const auto is_zero = [](Byte byte) { return byte == 0; };
  if (size > steps.size() || !std::ranges::all_of(steps.subspan(size), is_zero)) {
    reader.reject("more steps to a share than there may be");
    return {};
  }
  const auto path = SharePath::from_steps(steps.first(size));
  if (!path) reader.reject(path.error().message);
  return path.value_or(SharePath{});
}

}  // namespace warifu::sharing
