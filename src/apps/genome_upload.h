// What goes before a genome file when it is stored: its lead, made from file and index.
#pragma once

#include <optional>

#include "apps/object_commands.h"
#include "os/descriptor.h"

namespace warifu::apps {

struct GenomeUpload {
  Bytes lead;                // whole chunks
  std::uint32_t chunks = 0;  // of it
  std::string file;          // what to store behind it: the file that was named, or resliced
  os::Descriptor resliced;   // that file, which has no name
  std::string about;         // "CRAM of GRCh37, 1 references": for people
};

// Looks at the file; nothing when it is no genome (or --plain says so) and --genome was not said.
// Errors: kInvalidArgument (it must be a genome and is none; its assembly is unknown), kCorrupt,
// kNotFound naming the file.
[[nodiscard]] Result<std::optional<GenomeUpload>> look_at_genome(const StoreOptions& options);

}  // namespace warifu::apps
