// A network on this machine: the file that lists its processes, and starting and stopping them.
//
//   DIR/network.toml          [[processes]] name, kind = "site" | "device", config
//   DIR/run/NAME.pid          process id, removed on stop
//   DIR/logs/NAME.log
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::apps {

struct ProcessEntry {
  std::string name;
  bool is_site = false;
  std::string config;  // absolute path
  // How to see that it is ready: a Unix socket of a site, host:port of a device.
  std::string ready;
};

struct Network {
  std::string dir;
  std::vector<ProcessEntry> processes;  // devices first
};

// Errors: kNotFound, kInvalidArgument naming file and line.
[[nodiscard]] Result<Network> load_network(const std::string& dir);

// The running process of an entry, if any.
[[nodiscard]] std::optional<int> running_pid(const Network& network, const ProcessEntry& entry);
// Starts it when it does not run and waits until it is ready. Errors: kUnavailable with the end of
// its log when it dies, kTimeout.
[[nodiscard]] Result<> start_process(const Network& network, const ProcessEntry& entry);
// Asks it to stop, then insists. Not running is no error.
[[nodiscard]] Result<> stop_process(const Network& network, const ProcessEntry& entry);

}  // namespace warifu::apps
