// Processes of a network by posix_spawn and pid files.
#include "apps/network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <toml++/toml.h>

#include "http/client.h"
#include "os/net.h"

extern char** environ;

namespace warifu::apps {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string pid_path(const Network& network, const ProcessEntry& entry) {
  return network.dir + "/run/" + entry.name + ".pid";
}

std::string log_path(const Network& network, const ProcessEntry& entry) {
  return network.dir + "/logs/" + entry.name + ".log";
}

std::string end_of_log(const Network& network, const ProcessEntry& entry) {
  std::ifstream file(log_path(network, entry));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  std::string text;
  for (std::size_t i = lines.size() > 5 ? lines.size() - 5 : 0; i < lines.size(); ++i) {
    text += "\n    " + lines[i];
  }
  return text;
}

// A pid may have been reused: only a process that runs this entry's configuration counts.
bool runs_config(int pid, const std::string& config) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str().find(config) != std::string::npos;
}

// Whether the site says anything, be it that it does not know us: it listens a moment before that.
bool answers(const ProcessEntry& site) {
  http::Client client({.unix_path = site.ready, .address = {}, .tls = {}},
                      {.answer_timeout = seconds(5), .io_timeout = seconds(5)});
  return client.request({.target = "/v1/status"}).has_value();
}

// A site that was killed may hold its socket for a moment yet: the new process must answer.
bool is_ready(const ProcessEntry& entry, int pid) {
  if (entry.is_site) {
    const auto stream = os::connect_unix(entry.ready);
    ucred listener{};
    socklen_t size = sizeof listener;
    return stream &&
           ::getsockopt((*stream)->descriptor(), SOL_SOCKET, SO_PEERCRED, &listener, &size) == 0 &&
           listener.pid == pid && answers(entry);
  }
  const auto address = os::HostPort::parse(entry.ready);
  return address && os::connect_tcp(*address, seconds(1)).has_value();
}

Result<int> spawn(const Network& network, const ProcessEntry& entry) {
  std::error_code ignored;
  const std::string self = fs::read_symlink("/proc/self/exe", ignored).string();
  const std::string log = log_path(network, entry);
  std::vector<std::string> words =
      entry.is_site ? std::vector<std::string>{self, "site", "run", "--config", entry.config}
                    : std::vector<std::string>{self, "qkd", "rate-model", "--config", entry.config};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const int rc = ::posix_spawn(&pid, self.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (rc != 0) {
    return fail(Code::kIo, fmt::format("cannot start '{}': {}", entry.name, std::strerror(rc)));
  }
  return pid;
}

Result<ProcessEntry> read_process(const toml::table& table, const std::string& dir) {
  const auto text = [&](const char* key) { return table[key].value_or(std::string()); };
  ProcessEntry entry{.name = text("name"),
                     .is_site = text("kind") == "site",
                     .config = dir + "/" + text("config"),
                     .ready = text("ready")};
  const bool known_kind = entry.is_site || text("kind") == "device";
  if (entry.name.empty() || !known_kind || entry.ready.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}/network.toml:{}: a process needs name, kind, config and ready", dir,
                            table.source().begin.line));
  }
  return entry;
}

}  // namespace

Result<Network> load_network(const std::string& dir) {
  std::error_code error;
  const std::string absolute = fs::absolute(dir, error).lexically_normal().string();
  const std::string path = absolute + "/network.toml";
  if (!fs::exists(path, error)) {
    if (error) return fail(Code::kIo, "'" + path + "': " + error.message());
    return fail(Code::kNotFound,
                "'" + path + "' is not there; make a network with warifu net init");
  }
  Network network{.dir = absolute};
  try {
    const toml::table root = toml::parse_file(path);
    const toml::array* processes = root["processes"].as_array();
    if (processes == nullptr) {
      return fail(Code::kInvalidArgument, path + ": [[processes]] is missing");
    }
    for (const toml::node& node : *processes) {
      const toml::table* table = node.as_table();
      if (table == nullptr) return fail(Code::kInvalidArgument, path + ": write [[processes]]");
      TRY_ASSIGN(ProcessEntry entry, read_process(*table, absolute));
      network.processes.push_back(std::move(entry));
    }
  } catch (const toml::parse_error& problem) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}:{}: {}", path, problem.source().begin.line, problem.description()));
  }
  std::ranges::stable_sort(network.processes, {}, &ProcessEntry::is_site);
  return network;
}

std::optional<int> running_pid(const Network& network, const ProcessEntry& entry) {
  std::ifstream file(pid_path(network, entry));
  int pid = 0;
  if (!(file >> pid) || pid <= 0 || !runs_config(pid, entry.config)) return std::nullopt;
  return pid;
}

Result<> start_process(const Network& network, const ProcessEntry& entry) {
  if (running_pid(network, entry)) return {};
  std::error_code ignored;
  fs::create_directories(network.dir + "/run", ignored);
  fs::create_directories(network.dir + "/logs", ignored);
  TRY_ASSIGN(const int pid, spawn(network, entry));
  std::ofstream(pid_path(network, entry)) << pid << "\n";
  const auto end = std::chrono::steady_clock::now() + seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    if (is_ready(entry, pid)) return {};
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      fs::remove(pid_path(network, entry), ignored);
      return fail(Code::kUnavailable,
                  fmt::format("'{}' stopped at once; the end of {}:{}", entry.name,
                              log_path(network, entry), end_of_log(network, entry)));
    }
    std::this_thread::sleep_for(milliseconds(50));
  }
  return fail(Code::kTimeout, fmt::format("'{}' is not ready after 60 s; see {}", entry.name,
                                          log_path(network, entry)));
}

Result<> stop_process(const Network& network, const ProcessEntry& entry) {
  const auto pid = running_pid(network, entry);
  std::error_code ignored;
  if (pid) {
    (void)::kill(*pid, SIGTERM);
    bool gone = false;
    for (int i = 0; i < 200 && !gone; ++i) {
      int status = 0;
      (void)::waitpid(*pid, &status, WNOHANG);  // reaps it when it is our child
      gone = !running_pid(network, entry);
      if (!gone) std::this_thread::sleep_for(milliseconds(50));
    }
    if (!gone) (void)::kill(*pid, SIGKILL);
  }
  fs::remove(pid_path(network, entry), ignored);
  return {};
}

}  // namespace warifu::apps
