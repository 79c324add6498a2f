// A folder for one test, gone with all that is in it at the end. A fixture has it as a member in
// front of whatever keeps files in it, so that it goes last.
//
// Thread rule: any thread may ask where it is.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "base/result.h"

namespace warifu::sim {

class TemporaryFolder {
 public:
  TemporaryFolder() : TemporaryFolder(std::filesystem::temp_directory_path()) {}
  explicit TemporaryFolder(const std::filesystem::path& base) {
    std::string pattern = base / "warifu-test-XXXXXX";
    WARIFU_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = std::move(pattern);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // A base in memory where there is one: for tests that sync thousands of times and lose nothing by
  // a crash.
  static std::filesystem::path in_memory() {
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  // As a path where one is wanted: `dir`, `dir + "/shares"`.
  operator const std::string&() const { return path_; }  // NOLINT(google-explicit-constructor)
  friend std::string operator+(const TemporaryFolder& folder, std::string_view rest) {
    return folder.path_ + std::string(rest);
  }

 private:
  std::string path_;
};

}  // namespace warifu::sim
