// The index's lines, and bytes where they say.
#include "genome/fasta.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "genome/index.h"

namespace warifu::genome {
namespace {

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = line.find('\t');
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

constexpr std::uint64_t kMost = 1ULL << 48U;  // bases, or bytes of a file

bool read_number(std::string_view text, std::uint64_t& out) {
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), out);
  return bad == std::errc() && end == text.data() + text.size() && out <= kMost;
}

}  // namespace

Result<ReferenceFile> ReferenceFile::open(os::FileSystem& files, const std::string& path) {
  ReferenceFile reference;
  reference.path_ = path;
  TRY_ASSIGN(reference.file_, files.open(path, os::OpenMode::kRead));
  TRY_ASSIGN(const Bytes index, os::read_file(files, path + ".fai", kMaxFaiBytes));
  std::string_view rest = as_text(index);
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const auto fields = fields_of(line);
    Sequence one;
    const std::array<std::uint64_t*, 4> numbers = {&one.bases, &one.offset, &one.line_bases,
                                                   &one.line_bytes};
    bool good = fields.size() >= 5 && !fields[0].empty();
    for (std::size_t i = 0; good && i < numbers.size(); ++i) {
      good = read_number(fields[i + 1], *numbers[i]);
    }
    // All of its lines end within a file: places in it cannot overflow.
    good = good && one.line_bases > 0 && one.line_bytes >= one.line_bases &&
           one.bases / one.line_bases <= kMost / one.line_bytes;
    if (!good) {
      return fail(Code::kCorrupt,
                  "'" + path + ".fai': line " + std::to_string(number) + " is no line of an index");
    }
    one.name = std::string(fields[0]);
    reference.sequences_.push_back(std::move(one));
  }
  return reference;
}

const ReferenceFile::Sequence* ReferenceFile::find(const std::string& name) const {
  for (const std::string& one : {name, other_name(name)}) {
    const auto found = std::ranges::find(sequences_, one, &Sequence::name);
    if (found != sequences_.end()) return &*found;
  }
  return nullptr;
}

std::optional<std::uint64_t> ReferenceFile::length_of(const std::string& name) const {
  const Sequence* found = find(name);
  return found == nullptr ? std::nullopt : std::optional(found->bases);
}

Result<std::string> ReferenceFile::bases(const std::string& name, std::uint64_t start,
                                         std::uint64_t end) const {
  const Sequence* found = find(name);
  if (found == nullptr) {
    return fail(Code::kNotFound, "'" + path_ + "' has no sequence '" + name + "'");
  }
  end = std::min(end, found->bases);
  if (start >= end) return std::string();
  if (end - start > kMaxReferencePiece) {
    return fail(Code::kInvalidArgument, "more of a reference than can be given at once");
  }
  const auto place = [&](std::uint64_t base) {
    return found->offset + base / found->line_bases * found->line_bytes + base % found->line_bases;
  };
  const std::uint64_t first = place(start), last = place(end - 1);
  if (last - first >= 2 * kMaxReferencePiece) {
    return fail(Code::kCorrupt, "'" + path_ + ".fai': lines that are mostly empty");
  }
  Bytes raw(last - first + 1);
  TRY_ASSIGN(const std::size_t got, file_->read_at(first, raw));
  if (got < raw.size()) {
    return fail(Code::kCorrupt, "'" + path_ + "' is shorter than its index says");
  }
  std::string text;
  text.reserve(end - start);
  for (std::uint64_t base = start; base < end; ++base) {
    const char letter = static_cast<char>(raw[place(base) - first] & ~0x20);
    text += letter >= 'A' && letter <= 'Z' ? letter : 'N';
  }
  return text;
}

}  // namespace warifu::genome
