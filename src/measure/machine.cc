// What the machine is, from /proc and uname.
#include <fmt/format.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include <fstream>
#include <thread>

#include "base/units.h"
#include "mac/mac.h"
#include "measure/measure.h"
#include "measure/process.h"

namespace warifu::measure {
namespace {

// The value behind "key : value" or "key value" in a file of /proc.
std::string field(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const auto at = line.find_first_not_of(" \t:", key.size());
    return at == std::string::npos ? "" : line.substr(at);
  }
  return "";
}

// Device and file system that hold `dir`: the longest mount point that is a prefix of it.
std::string disk_of(const std::string& dir) {
  std::ifstream mounts("/proc/self/mounts");
  std::string best, text;
  for (std::string device, point, type, rest;
       mounts >> device >> point >> type && std::getline(mounts, rest);) {
    const std::string prefix = point == "/" ? "/" : point + "/";
    if ((dir + "/").starts_with(prefix) && point.size() >= best.size()) {
      best = point;
      text = device + " " + type;
    }
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> machine(const std::string& dir) {
  utsname names{};
  (void)::uname(&names);
  const std::string memory = field("/proc/meminfo", "MemTotal");
  return {{"cpu", field("/proc/cpuinfo", "model name")},
          {"cores", std::to_string(std::thread::hardware_concurrency())},
          {"kernel", fmt::format("{} {} {}", names.sysname, names.release, names.machine)},
          {"memory", memory},
          {"kernels", mac::variant_name()},
          {"disk", fmt::format("{}, {} free", disk_of(dir), human_bytes(room(dir)))}};
}

}  // namespace warifu::measure
