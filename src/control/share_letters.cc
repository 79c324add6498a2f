// Letters and their numbers.
#include "control/share_letters.h"

namespace warifu::control {
namespace {

constexpr std::size_t kLetters = 26;

std::string letters(char first, std::size_t index) {
  const char last = static_cast<char>(first + static_cast<int>(index % kLetters));
  return index < kLetters ? std::string(1, last) : std::string(1, first) + last;
}

// One step of a path, at this depth.
std::string step(std::size_t depth, std::size_t index) {
  if (depth == 0) return letters('A', index);
  return depth % 2 == 1 ? std::to_string(index + 1) : letters('a', index);
}

void add_names(const PolicyNode& cut, const SharePath& path,
               std::vector<std::pair<std::string, std::size_t>>& names) {
  for (std::size_t i = 0; i < cut.children.size(); ++i) {
    SharePath below = path;
    below.push_back(static_cast<sharing::ShareIndex>(i));
    names.emplace_back(share_name(below), cut.children[i].number);
    add_names(cut.children[i], below, names);
  }
}

}  // namespace

std::string share_name(const SharePath& path) {
  std::string name;
  for (std::size_t depth = 0; depth < path.size(); ++depth) {
    name += step(depth, static_cast<std::size_t>(path[depth]));
  }
  return name;
}

Result<SharePath> parse_share_path(const std::string& text) {
  SharePath path;
  std::size_t at = 0;
  while (at < text.size() && path.size() <= kMaxNesting) {
    const std::size_t depth = path.size();
    std::size_t taken = 0;  // by the longest step that fits: "AB" is one, as "12" is
    for (std::size_t i = 0; i < sharing::kMaxShares; ++i) {
      const std::string wanted = step(depth, i);
      if (wanted.size() <= taken || text.compare(at, wanted.size(), wanted) != 0) continue;
      taken = wanted.size();
      path.resize(depth + 1);
      path.back() = static_cast<sharing::ShareIndex>(i);
    }
    if (taken == 0) break;
    at += taken;
  }
  if (path.empty() || at != text.size()) {
    return fail(Code::kInvalidArgument, "'" + text + "' is not the name of a share");
  }
  return path;
}

std::string top_letter(sharing::ShareIndex index) {
  return share_name({index});
}

std::string nested_letter(sharing::ShareIndex top, sharing::ShareIndex index) {
  return share_name({top, index});
}

std::vector<std::pair<std::string, std::size_t>> share_names(const PolicyNode& policy) {
  std::vector<std::pair<std::string, std::size_t>> names;
  add_names(policy, {}, names);
  return names;
}

std::string name_of(const PolicyNode& policy, std::size_t number) {
  return number == 0 ? "" : share_names(policy).at(number - 1).first;
}

Result<ShareName> parse_share_name(const std::string& text) {
  TRY_ASSIGN(const SharePath path, parse_share_path(text));
  if (path.size() > 2) {
    return fail(Code::kInvalidArgument, "'" + text + "' is not the name of a share");
  }
  ShareName name{path.front(), std::nullopt};
  if (path.size() == 2) name.nested = path.back();
  return name;
}

}  // namespace warifu::control
