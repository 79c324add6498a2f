// What a CRAM's slices say of the reference that they were written against (CRAMv3 sections 8.4 and
// 8.5): whether they can be decoded without it, and the MD5 of its bases.
//
// Only the heads of a container's first slice are read; records are left to the sandboxed process.
// Values; any thread.
#pragma once

#include <array>
#include <vector>

#include "genome/index.h"

namespace warifu::genome {

inline constexpr std::uint64_t kMostSliceHeads =
    256 * 1024;  // bytes of a container that are enough

struct SliceReference {
  bool is_needed = true;       // its bases are neither in the slice nor in its records
  std::int32_t reference = 0;  // kUnplaced; negative and not that: several
  std::int64_t start = 0;      // 0-based
  std::int64_t end = 0;
  std::array<Byte, 16> md5{};  // of the reference's bases there; zero: the writer did not say
};

// `container`: the file's bytes from where a data container starts, kMostSliceHeads or all there
// are. `major`: of CRAM. Errors: kCorrupt naming `what`.
[[nodiscard]] Result<SliceReference> parse_slice_reference(ByteView container, unsigned major,
                                                           std::string_view what);

struct FirstSlice {
  std::int32_t reference = 0;
  std::uint64_t container = 0;  // where it starts
};
// Each reference that a .crai has reads of, by id, with the container of its first slice. Reads
// without a place have none.
[[nodiscard]] std::vector<FirstSlice> first_slices(const Index& index);

}  // namespace warifu::genome
