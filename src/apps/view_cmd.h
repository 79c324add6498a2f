// `warifu view`: regions of a genome under a consent, for samtools, bcftools and IGV.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/command_options.h"

namespace warifu::apps {

struct ViewOptions {
  std::string grant, as, as_id, purpose;
  std::vector<std::string> use;      // what the use will be
  std::vector<std::string> regions;  // none: all that the consent is for
  std::uint32_t minutes = 0;         // 0: as long as site and consent allow
  bool clip = false;
  std::string token_file;  // empty: the token is printed
};
[[nodiscard]] Result<> view_open(const Common& common, const ViewOptions& options);
[[nodiscard]] Result<> view_list(const Common& common);
[[nodiscard]] Result<> view_end(const Common& common, const std::string& view);

}  // namespace warifu::apps
