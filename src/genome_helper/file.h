// htslib's objects with their ends, and how the input, the output and the reference are opened.
//
// htslib names nothing by path here: input is descriptor 0, output 1. Only reads and variants in
// sequence are asked for; its index search is not used.
#pragma once

#include <htslib/cram.h>
#include <htslib/hfile.h>
#include <htslib/hts.h>
#include <htslib/sam.h>
#include <htslib/thread_pool.h>
#include <htslib/vcf.h>

#include <memory>
#include <string>
#include <vector>

#include "genome/task.h"

namespace warifu::genome_helper {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using FilePtr = std::unique_ptr<htsFile, Freer<hts_close>>;
using SamHeader = std::unique_ptr<sam_hdr_t, Freer<sam_hdr_destroy>>;
using Record = std::unique_ptr<bam1_t, Freer<bam_destroy1>>;
using VcfHeader = std::unique_ptr<bcf_hdr_t, Freer<bcf_hdr_destroy>>;
using VcfRecord = std::unique_ptr<bcf1_t, Freer<bcf_destroy>>;

enum class Kind { kReads, kVariants };

// Opened before the process is confined; the sequences are read from the open file later.
class ReferenceFile {
 public:
  // Errors: kNotFound naming the file or its .fai.
  [[nodiscard]] static Result<std::unique_ptr<ReferenceFile>> open(const std::string& path);
  [[nodiscard]] refs_t* sequences() const { return cram_get_refs(carrier_.get()); }

 private:
  FilePtr carrier_;  // an empty CRAM that owns them
};

class Files {
 public:
  Files(const genome::Task& task, const ReferenceFile* reference);
  ~Files();
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  // The input, recognised by its content. Errors: kCorrupt.
  [[nodiscard]] Result<> open_input();
  // "wb", "wc", "w", "wz": modes of htslib. Errors: kIo.
  [[nodiscard]] Result<> open_output(const char* mode);
  // All that was written is out. Errors: kIo.
  [[nodiscard]] Result<> close_output();

  [[nodiscard]] htsFile* input() const { return input_.get(); }
  [[nodiscard]] htsFile* output() const { return output_.get(); }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool has_reference() const { return reference_ != nullptr; }
  // Sequences for the CRAM that is written. Errors: kIo.
  [[nodiscard]] Result<> give_reference(htsFile* file) const;

  // The next read; false at the end. Errors: kCorrupt with the number of the record.
  [[nodiscard]] Result<bool> next(sam_hdr_t* header, bam1_t* record);
  [[nodiscard]] Result<bool> next(bcf_hdr_t* header, bcf1_t* record);
  [[nodiscard]] std::uint64_t records() const { return records_; }

  [[nodiscard]] Result<SamHeader> read_sam_header();
  [[nodiscard]] Result<VcfHeader> read_vcf_header();

 private:
  [[nodiscard]] Result<> set_threads(htsFile* file);

  const genome::Task& task_;
  const ReferenceFile* reference_;
  htsThreadPool pool_{};
  FilePtr input_;
  FilePtr output_;
  Kind kind_ = Kind::kReads;
  std::uint64_t records_ = 0;
};

}  // namespace warifu::genome_helper
