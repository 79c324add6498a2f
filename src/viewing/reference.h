// What a viewer of reads needs besides them: the names and lengths of the consented references, and
// their bases within the consent, where the site has the assembly's FASTA.
//
//   text := piece{pieces}    piece := ">" name ":" start "-" end " @len=" length LF bases LF
//
// Positions are 1-based and inclusive, `length` is of the whole reference (as igv.js takes it). A
// piece without bases of its own is one N. Pure but for the file; any thread.
#pragma once

#include "htsget/judge.h"
#include "os/system.h"

namespace warifu::viewing {

inline constexpr std::uint64_t kMostReferenceBases = 8ULL << 20U;  // beyond: lengths alone

// `fasta` empty: lengths alone. Errors: of the file; kCorrupt when it holds another assembly.
[[nodiscard]] Result<std::string> reference_text(os::FileSystem& files, const std::string& fasta,
                                                 const htsget::Consented& consented);

}  // namespace warifu::viewing
