// Whether the site that will restore has the reference sequences which a CRAM was written against.
//
// Told when an object is stored, while whoever has the file and knows its reference is there: years
// later a region of it could not be decoded. Never an error: the file itself is whole without.
// Names and lengths are held against the FASTA's index; of the first slices the MD5 of the bases
// too. Stateless; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/staging.h"
#include "genome/lead.h"
#include "os/system.h"

namespace warifu::control {

inline constexpr std::size_t kMostNamedSequences = 5;
inline constexpr std::size_t kMostSlicesLookedAt = 64;

struct LackingReference {
  std::string site;  // that restores, and lacks it
  std::string assembly;
  std::string file;           // that [genome] references names for the assembly; empty: none
  std::size_t sequences = 0;  // that have reads which need a reference
  std::size_t lacking = 0;    // of these: not in the file, or with another length or other bases
  std::size_t differing = 0;  // of these: in the file, but with another length or other bases
  std::vector<std::string> names;  // the first that lack
  std::string trouble;             // why the file cannot be read; empty: it can

  // For people, in English: what lacks, what will not work, how to mend it.
  [[nodiscard]] std::string text() const;
};

// What restores at a site: its name and its `[genome] references`.
struct RestoringSite {
  std::string name;
  const std::map<std::string, std::string>& reference_files;
};
// `read`: of the file behind the lead. Nothing when none lacks, and for files that are no CRAM.
// Errors: of `read`; kCorrupt (slices that cannot be understood).
[[nodiscard]] Result<std::optional<LackingReference>> find_lacking_reference(
    const genome::Lead& lead, const genome::ReadAt& read, const RestoringSite& site,
    os::FileSystem& files);

// The same of an object that is staged whole, with its lead: what a store job begins with. Errors:
// of the staging; kCorrupt (a lead that is none).
[[nodiscard]] Result<std::optional<LackingReference>> find_lacking_reference(
    os::System system, const std::string& staging_path, ByteView staging_key, ByteCount length,
    std::uint32_t lead_chunks, const RestoringSite& site);

}  // namespace warifu::control
