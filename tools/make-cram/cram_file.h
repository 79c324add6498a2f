// CramFile: writing of a CRAM 3.0 file and its .crai through htslib.
// Invariant: every call that can write checks the result, and so does the outlet that carries the
// bytes to the file; a file is good only after close().
#pragma once

#include <htslib/sam.h>

#include <cstdint>
#include <memory>
#include <string>

#include "contig.h"
#include "outlet.h"
#include "reads.h"

namespace warifu::make_cram {

struct CramTarget {
  std::string path;
  std::string index_path;  // empty: no index
  int threads = 1;
};

class CramFile {
 public:
  CramFile(const CramTarget& target, const Contig& contig, const std::string& command_line);

  void write(const Read& read);
  void close();

 private:
  struct FileDeleter {
    void operator()(samFile* file) const { sam_close(file); }
  };
  struct HeaderDeleter {
    void operator()(sam_hdr_t* header) const { sam_hdr_destroy(header); }
  };
  struct RecordDeleter {
    void operator()(bam1_t* record) const { bam_destroy1(record); }
  };

  void open();
  void configure(const CramTarget& target);
  void write_header(const CramTarget& target, const Contig& contig,
                    const std::string& command_line);
  [[noreturn]] void broken(const char* what, int code) const;

  std::string path_;
  std::uint64_t written_ = 0;
  // The file refers to these two and is therefore destroyed before them.
  Outlet outlet_;
  std::unique_ptr<sam_hdr_t, HeaderDeleter> header_;
  std::unique_ptr<bam1_t, RecordDeleter> record_;
  std::unique_ptr<samFile, FileDeleter> file_;
};

}  // namespace warifu::make_cram
