// What leaves a header and a record before they are given on.
//
// A SAM header keeps @HD, the sequences without where they were read from, read groups without
// names and dates, and of programs only their chain; comments go. A VCF header keeps what its
// records are read by. Names of samples become the one that is asked for.
#pragma once

#include "genome_helper/file.h"
#include "genome_helper/places.h"

namespace warifu::genome_helper {

// Errors: kCorrupt when what is left is no header.
[[nodiscard]] Result<SamHeader> scrubbed(sam_hdr_t* header, const std::string& sample);
[[nodiscard]] Result<VcfHeader> scrubbed(bcf_hdr_t* header, const std::string& sample);

// Takes away what tells of a mate or of other alignments outside the places.
// Errors: kCorrupt.
[[nodiscard]] Result<> blank_outside(bam1_t* record, const Places& places);

// Fields and tags as htsget 1.3 selects them.
class FieldChoice {
 public:
  // Errors: kInvalidArgument naming a field or tag that is none.
  [[nodiscard]] static Result<FieldChoice> make(const genome::Selection& selection);
  // Errors: kIo when memory ends.
  [[nodiscard]] Result<> apply(bam1_t* record) const;

 private:
  [[nodiscard]] Result<> apply_fields(bam1_t* record) const;

  bool all_fields_ = true;
  unsigned fields_ = 0;  // bits of htslib's SAM_ fields
  bool all_tags_ = true;
  std::vector<std::string> tags_;
  std::vector<std::string> notags_;
};

}  // namespace warifu::genome_helper
