// What the process gives up before it reads a byte of a genome file.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace warifu::genome_helper {

// For the whole process, for good: descriptors from 5 up are closed; no file, folder, socket, other
// process or program can be opened or made (Landlock where the kernel has it, and a seccomp filter
// that lets only named calls through); memory cannot become executable; address space and processor
// time are bounded; it ends with its parent and leaves no core file. Descriptors above 4 that
// `keep_up_to` covers stay (a reference opened before). Errors: kIo when the kernel does not do it.
[[nodiscard]] Result<> confine(std::uint64_t memory_bytes, std::uint64_t processor_seconds,
                               int keep_up_to);

}  // namespace warifu::genome_helper
