// Where a share stands in the tree of its object: which share of the object's cut, which part of
// that share when it is cut again, and so on.
//
// The one name of a place: share files, the catalog, requests between sites and people use it. To
// people it is a name: a share of the object is A to Z, then AA to AF; of share C cut again C1 to
// C32; of C2 cut again C2a to C2z, then C2aa to C2af; and so on, capital letters only at the top,
// numbers and small letters in turn below. No two paths share a name. In files and requests it is
//
//   path := steps:u8 step:u8{9}       1 to 9 steps, each below 32; unused ones are zeros
//
// Ascending paths go through the tree from left to right, a share before its parts. A value; any
// thread.
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>

#include "sharing/scheme.h"
#include "wire/wire.h"

namespace warifu::sharing {

class SharePath {
 public:
  static constexpr std::size_t kMaxSteps = 9;
  static constexpr std::size_t kBytes = 1 + kMaxSteps;

  // No step: the object itself. It stands in no file and no request.
  SharePath() = default;
  explicit SharePath(ShareIndex top) : SharePath(SharePath().part(static_cast<std::size_t>(top))) {}

  // Reads a name; only what text() writes for one step or more. Errors: kInvalidArgument.
  [[nodiscard]] static Result<SharePath> parse(const std::string& text);
  // From the bytes of steps(). Errors: kInvalidArgument.
  [[nodiscard]] static Result<SharePath> from_steps(ByteView steps);

  [[nodiscard]] bool is_object() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Whether it is a share of the object's own cut.
  [[nodiscard]] bool is_top() const { return size_ == 1; }
  // Which share of the cut that is `depth` steps below the object's.
  [[nodiscard]] std::uint8_t step(std::size_t depth) const;
  // Which share of its cut; not of the object.
  [[nodiscard]] std::uint8_t index() const { return step(size_ - 1U); }
  [[nodiscard]] ByteView steps() const { return ByteView(steps_).first(size_); }

  // The share that was cut to make this one; not of the object.
  [[nodiscard]] SharePath parent() const { return above(size_ - 1U); }
  // Its first steps.
  [[nodiscard]] SharePath above(std::size_t steps) const;
  // Share `index` of the cut of this one; there must be room for a step.
  [[nodiscard]] SharePath part(std::size_t index) const;
  // Whether it is that share, or a part of it, or a part of a part, ...
  [[nodiscard]] bool is_within(const SharePath& other) const;
  // Whether both are shares of one cut, or the same.
  [[nodiscard]] bool same_cut(const SharePath& other) const {
    return size_ == other.size_ && size_ > 0 && is_within(other.parent());
  }

  [[nodiscard]] std::string text() const;
  auto operator<=>(const SharePath&) const = default;

 private:
  std::array<std::uint8_t, kMaxSteps> steps_{};  // unused ones are zeros: order and equality
  std::uint8_t size_ = 0;
};

// Not of the object.
void write_path(wire::Writer& writer, const SharePath& path);
// Rejects what is no path of one step or more.
[[nodiscard]] SharePath read_path(wire::Reader& reader);

}  // namespace warifu::sharing
