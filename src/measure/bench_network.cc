// Networks through the program's own command line.
#include "measure/bench_network.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <boost/json.hpp>

#include "os/files.h"

namespace warifu::measure {

namespace fs = std::filesystem;

Result<std::unique_ptr<BenchNetwork>> BenchNetwork::start(const Settings& settings,
                                                          const std::string& parent,
                                                          const std::vector<std::string>& init) {
  TRY_ASSIGN(Scratch scratch, Scratch::make(parent));
  std::unique_ptr<BenchNetwork> network(new BenchNetwork(settings, std::move(scratch)));
  std::vector<std::string> words = {"net", "init", "--net", network->net()};
  words.insert(words.end(), init.begin(), init.end());
  settings.tell("making a network of six sites and its key");
  TRY(network->ask(words));
  TRY(network->ask({"net", "up", "--net", network->net()}));
  // A PIN of a card that lives as long as this run.
  TRY(os::replace_file(os::real_files(), network->pin(), as_bytes(std::string("24680\n"))));
  TRY(network->ask({"person", "enrol", "--site", network->site("tommo"), "--id", "P-1", "--name",
                    "Bench", "--card", network->card(), "--pin-file", network->pin()}));
  return network;
}

BenchNetwork::~BenchNetwork() {
  // Also after Ctrl-C: the sites run in sessions of their own.
  Settings settings = settings_;
  settings.stop = nullptr;
  (void)run(settings, {settings.program, "net", "down", "--net", net()});
}

Result<boost::json::value> BenchNetwork::ask(const std::vector<std::string>& words) const {
  std::vector<std::string> all = {settings_.program};
  all.insert(all.end(), words.begin(), words.end());
  all.emplace_back("--json");
  TRY_ASSIGN(const Ran ran, run_good(settings_, all));
  boost::system::error_code error;
  boost::json::value document = boost::json::parse(ran.out, error);
  if (error) return fail(Code::kProtocol, words[0] + " printed no JSON: " + ran.out.substr(0, 200));
  return document;
}

std::map<std::string, std::uint64_t> BenchNetwork::peaks() const {
  std::map<std::string, std::uint64_t> peaks;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(net() + "/run", ignored)) {
    int pid = 0;
    std::ifstream(entry.path()) >> pid;
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(status, line);) {
      unsigned long long kib = 0;
      if (std::sscanf(line.c_str(), "VmHWM: %llu kB", &kib) == 1) {
        peaks[entry.path().stem().string()] = kib * 1024;
      }
    }
  }
  return peaks;
}

std::uint64_t BenchNetwork::disk_bytes() const {
  std::uint64_t sum = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(dir(), error), end; !error && it != end;
       it.increment(error)) {
    struct stat status{};
    if (::lstat(it->path().c_str(), &status) == 0) {
      sum += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
  }
  return sum;
}

}  // namespace warifu::measure
