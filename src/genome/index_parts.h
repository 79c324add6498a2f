// What the files of index.h share: one parser for each kind, one cutter for each way to compress.
#pragma once

#include <span>

#include "genome/index.h"

namespace warifu::genome {

[[nodiscard]] Result<Index> parse_crai(ByteView text, std::string_view what);
[[nodiscard]] Result<Index> parse_bai(ByteView bytes, std::string_view what);
[[nodiscard]] Result<Index> parse_csi(ByteView bytes, std::string_view what);
[[nodiscard]] Result<Index> parse_tbi(ByteView bytes, std::string_view what);

// The constant end of a CRAM file that is this long.
[[nodiscard]] ByteView cram_end(std::uint64_t bytes);

[[nodiscard]] Result<std::vector<Cut>> cuts_cram(const Index& index,
                                                 std::span<const std::vector<Region>> wishes,
                                                 const WholeFile& file);
[[nodiscard]] Result<std::vector<Cut>> cuts_bgzf(const Index& index,
                                                 std::span<const std::vector<Region>> wishes,
                                                 const WholeFile& file);

[[nodiscard]] Result<> copy_ranges(const Cut& cut, const ReadAt& read, const Sink& sink);
[[nodiscard]] Result<> copy_pieces(const Cut& cut, const ReadAt& read, const Sink& sink,
                                   std::string_view what);

}  // namespace warifu::genome
