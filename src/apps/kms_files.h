// Certificates and settings of a demonstration network whose sites give keys to applications.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::apps {

struct KmsSite {
  std::string name;
  std::string dir;  // for the server's certificate
  std::uint16_t port = 0;
};

// Makes one authority, a server certificate for each site, and in `sae_dir` certificates of two
// applications for each (SAE-NAME-1, SAE-NAME-2). Returns the [kms] text of each site.
[[nodiscard]] Result<std::vector<std::string>> write_kms_files(const std::vector<KmsSite>& sites,
                                                               const std::string& sae_dir);

}  // namespace warifu::apps
