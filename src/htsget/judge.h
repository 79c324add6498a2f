// What a client asked for, held against what the person consented to.
//
// Strict: one base beyond the consent and the whole request is refused. Clipped: what lies beyond
// is left out, and the answer says so; htsget allows more than was asked for but not less, so a
// view is clipped only when whoever opened it said so. Pure; any thread.
#pragma once

#include "genome/task.h"
#include "htsget/request.h"

namespace warifu::htsget {

enum class Mode : std::uint8_t { kStrict, kClip };
[[nodiscard]] std::string_view mode_name(Mode mode);  // "strict", "clip"

struct Consented {
  std::vector<genome::Reference> references;  // of the file
  std::vector<genome::NamedRegion> regions;   // by their names in the file, 0-based, half open
};

struct Verdict {
  std::vector<genome::NamedRegion> regions;  // sorted, merged; none: no record
  bool clipped = false;                      // less than was asked for
};

// Sorts by reference and start, and merges what overlaps or touches.
void merge(std::vector<genome::NamedRegion>& regions);

// Names that differ by "chr" only name the same. `consented.regions` must be merged. Errors:
// kNotFound (a reference that the file does not have), kPermissionDenied.
[[nodiscard]] Answer<Verdict> judge(const Request& request, const Consented& consented, Mode mode);

// "20:1000-2000, 20:5000-6000" as people write them, 1-based, at most `most` and then "and 3
// more": for logs.
[[nodiscard]] std::string regions_text(const std::vector<genome::NamedRegion>& regions,
                                       std::size_t most);

}  // namespace warifu::htsget
