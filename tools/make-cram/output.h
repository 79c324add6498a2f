// PartialFile: a result that exists under its name only when it is complete. It is written as
// NAME.partial; commit() makes it durable and renames it; otherwise the destructor removes it.
#pragma once

#include <cstdint>
#include <string>

namespace warifu::make_cram {

class PartialFile {
 public:
  // `role` is the word for messages ("output", "index", "sites"). Refuses a target that could not
  // be replaced at the end, before any work is done.
  PartialFile(std::string role, std::string path);
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& partial_path() const { return partial_path_; }
  [[nodiscard]] std::uint64_t size() const;
  void commit();

 private:
  std::string role_;
  std::string path_;
  std::string partial_path_;
  bool committed_ = false;
};

// SIGINT and SIGTERM set a flag, so that an interrupted run removes its partial files as any other
// failed run does. check_interrupted() throws once it is set.
void install_interrupt_handlers();
void check_interrupted();

}  // namespace warifu::make_cram
