// The operations of the process: each reads the input once, in sequence, in bounded memory.
#pragma once

#include "genome_helper/file.h"

namespace warifu::genome_helper {

// Each gives its answer in wire form. Errors: kCorrupt of the input, kNotFound of a reference,
// kInvalidArgument of the task, kIo of the output.
[[nodiscard]] Result<Bytes> inspect(const genome::Task& task, Files& files);
[[nodiscard]] Result<Bytes> digest(const genome::Task& task, Files& files);
[[nodiscard]] Result<Bytes> make_index(const genome::Task& task);
[[nodiscard]] Result<Bytes> reslice(const genome::Task& task, Files& files);
[[nodiscard]] Result<Bytes> trim_reads(const genome::Task& task, Files& files);
[[nodiscard]] Result<Bytes> trim_variants(const genome::Task& task, Files& files);
[[nodiscard]] Result<Bytes> pileup(const genome::Task& task, Files& files);

}  // namespace warifu::genome_helper
