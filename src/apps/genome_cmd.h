// `warifu genome`: genome files on this machine. No site is asked.
#pragma once

#include "apps/command_options.h"

namespace warifu::apps {

struct GenomeOptions {
  std::string file;
  std::string out;
  std::string index;      // empty: the one beside the file
  std::string reference;  // FASTA
  unsigned threads = 2;
  bool csi = false;
  unsigned reads_per_slice = 1000;
  std::vector<std::string> regions;  // "20:5000000-5010000", 1-based and closed; "chrM"; "*"
  std::string bed;                   // file of regions, 0-based and half open
  std::string format;                // empty: by the ending of `out`
  std::string fields, tags, notags;  // lists with commas
  bool has_fields = false, has_tags = false;
  bool keep_mates = false, keep_header = false, header_only = false;
  std::string sample = "sample";
  std::string key;              // Crypt4GH key file
  std::string passphrase_file;  // of the key
};

[[nodiscard]] Result<> genome_inspect(const Common& common, const GenomeOptions& options);
[[nodiscard]] Result<> genome_index(const Common& common, const GenomeOptions& options);
[[nodiscard]] Result<> genome_reslice(const Common& common, const GenomeOptions& options);
[[nodiscard]] Result<> genome_cut(const Common& common, const GenomeOptions& options);
[[nodiscard]] Result<> genome_check(const Common& common, const GenomeOptions& options);
[[nodiscard]] Result<> genome_decrypt(const Common& common, const GenomeOptions& options);
[[nodiscard]] Result<> genome_encrypt(const Common& common, const GenomeOptions& options);

}  // namespace warifu::apps
