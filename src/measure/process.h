// Child processes with their cost, scratch folders, and small helpers of measurements.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "measure/measure.h"

namespace warifu::measure {

struct Ran {
  int code = 0;  // exit code; 128 + signal
  double wall_seconds = 0;
  double user_seconds = 0;  // of the child and those that it waited for
  double system_seconds = 0;
  std::string out, err;
};

// Runs a program to its end; `words[0]` is found in PATH. When the settings say stop the child is
// told to stop. Errors: kNotFound (no such program), kIo, kCancelled.
[[nodiscard]] Result<Ran> run(const Settings& settings, const std::vector<std::string>& words);
// The same; another exit code than 0 is an error that shows the end of what it said.
[[nodiscard]] Result<Ran> run_good(const Settings& settings, const std::vector<std::string>& words);

[[nodiscard]] bool installed(const std::string& program);

// A child that runs beside the measurement; stopped by the destructor.
class Background {
 public:
  [[nodiscard]] static Result<Background> start(const std::vector<std::string>& words,
                                                const std::string& log);
  ~Background();
  Background(Background&& other) noexcept;
  Background& operator=(Background&&) = delete;

 private:
  explicit Background(int pid) : pid_(pid) {}
  int pid_;
};

// A new folder, removed with all that is in it by the destructor.
class Scratch {
 public:
  [[nodiscard]] static Result<Scratch> make(const std::string& parent);
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The parent of scratch folders in memory: /dev/shm when it is a tmpfs with that much room.
[[nodiscard]] std::string memory_dir(const Settings& settings, std::uint64_t bytes);
[[nodiscard]] std::uint64_t room(const std::string& dir);

// Bytes that no compression or sharing of blocks makes smaller.
[[nodiscard]] Result<> make_random_file(const Settings& settings, const std::string& path,
                                        std::uint64_t bytes);
// Errors: kCorrupt naming the first place where they differ.
[[nodiscard]] Result<> same_bytes(const Settings& settings, const std::string& a,
                                  const std::string& b);

[[nodiscard]] double median(std::vector<double> values);
[[nodiscard]] double seconds_now();
[[nodiscard]] bool stopped(const Settings& settings);
[[nodiscard]] inline double as_double(std::uint64_t value) {
  return static_cast<double>(value);
}
// A figure that could not be measured, and why.
[[nodiscard]] Figure not_measured(std::string name, std::string why);

}  // namespace warifu::measure
