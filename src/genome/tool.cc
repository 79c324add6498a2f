// posix_spawn, pipes and poll.
#include "genome/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include "secret/secret.h"

namespace warifu::genome {
namespace {

using std::chrono::steady_clock;
// Of a process; a pileup tells genotypes.
using Answer = secret::Wiped<Byte>;

constexpr int kFirstOwn = 10;  // descriptors below are the ones that the process gets
constexpr std::size_t kPipeBytes = 64 * 1024;
constexpr std::size_t kSourceBytes = 256 * 1024;
constexpr std::size_t kMaxMessages = 4096;  // of what htslib prints, the end
constexpr int kLookMs = 200;

// A descriptor with its end.
class Handle {
 public:
  Handle() = default;
  explicit Handle(int fd) : fd_(fd) {}
  ~Handle() { close(); }
  Handle(Handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  void close() {
    if (fd_ >= 0) (void)::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

std::unexpected<Error> system_error(const std::string& what) {
  return fail(Code::kIo, what + ": " + std::strerror(errno));
}

// Above the numbers that the process sees, so that placing one never closes another.
Result<Handle> lifted(Handle low) {
  Handle high(::fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstOwn));
  if (!high.open()) return system_error("no descriptor for the process that reads genome files");
  return high;
}

struct Pipe {
  Handle read;
  Handle write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("no pipe");
  Handle read(ends[0]);
  Handle write(ends[1]);
  Pipe pipe;
  TRY_ASSIGN(pipe.read, lifted(std::move(read)));
  TRY_ASSIGN(pipe.write, lifted(std::move(write)));
  return pipe;
}

Result<Handle> task_memory(const Task& task) {
  const Bytes bytes = encode_task(task);
  Handle memory(::memfd_create("task", MFD_CLOEXEC));
  if (!memory.open()) return system_error("no memory for the task");
  if (::write(memory.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      ::lseek(memory.get(), 0, SEEK_SET) != 0) {
    return system_error("no memory for the task");
  }
  return lifted(std::move(memory));
}

std::string printable(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// One process from its start to its end.
class Process {
 public:
  Process(const Task& task, const RunOptions& options) : task_(task), options_(options) {}
  ~Process() { end(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Result<> start(const Input& input);
  // Feeds, empties, watches until all pipes are closed; then the answer.
  Result<Answer> finish(const Sink& sink);

 private:
  Result<> step(const Sink& sink);
  Result<> take(Handle& from, const std::function<Result<>(ByteView)>& to);
  Result<> feed();
  Result<> look();
  std::unexpected<Error> ended(int status);
  void end();

  const Task& task_;
  const RunOptions& options_;
  pid_t process_ = -1;
  int input_file_ = -1;
  ByteView memory_;  // what has still to be written to it
  std::function<Result<std::size_t>(MutableBytes)> source_;
  secret::Buffer from_source_;
  std::uint64_t fed_ = 0;
  Handle in_, out_, messages_, answer_;
  secret::Buffer buffer_{kPipeBytes};
  Answer report_;
  std::string printed_;
  std::uint64_t written_ = 0;
  std::uint64_t seen_ = 0;
  steady_clock::time_point alive_ = steady_clock::now();
};

Result<> Process::start(const Input& input) {
  TRY_ASSIGN(Handle task, task_memory(task_));
  TRY_ASSIGN(Pipe out, make_pipe());
  TRY_ASSIGN(Pipe messages, make_pipe());
  TRY_ASSIGN(Pipe answer, make_pipe());
  Pipe in;
  Handle file;
  if (input.descriptor >= 0) {
    input_file_ = input.descriptor;
    file = Handle(::fcntl(input.descriptor, F_DUPFD_CLOEXEC, kFirstOwn));
    if (!file.open()) return system_error(task_.name);
  } else {
    TRY_ASSIGN(in, make_pipe());
    if (::fcntl(in.write.get(), F_SETFL, O_NONBLOCK) != 0) return system_error("no pipe");
    memory_ = input.memory;
    source_ = input.source;
    if (source_) from_source_ = secret::Buffer(kSourceBytes);
    file = std::move(in.read);
  }
  posix_spawn_file_actions_t actions{};
  WARIFU_CHECK(::posix_spawn_file_actions_init(&actions) == 0);
  const std::array<int, 5> placed = {file.get(), out.write.get(), messages.write.get(), task.get(),
                                     answer.write.get()};
  for (std::size_t i = 0; i < placed.size(); ++i) {
    WARIFU_CHECK(::posix_spawn_file_actions_adddup2(&actions, placed[i], static_cast<int>(i)) == 0);
  }
  posix_spawnattr_t attributes{};
  WARIFU_CHECK(::posix_spawnattr_init(&attributes) == 0);
  // Ctrl-C is for the parent, which ends the process in order.
  (void)::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t set{};
  (void)::sigemptyset(&set);
  (void)::posix_spawnattr_setsigmask(&attributes, &set);
  (void)::sigfillset(&set);
  (void)::posix_spawnattr_setsigdefault(&attributes, &set);
  std::string word = "warifu-genome-helper";
  std::array<char*, 2> arguments = {word.data(), nullptr};
  // Nothing of the parent's environment; htslib finds no reference by itself.
  std::array<std::string, 4> lines = {"REF_PATH=/none", "REF_CACHE=/none", "LC_ALL=C", "TZ=UTC"};
  std::array<char*, 5> environment = {lines[0].data(), lines[1].data(), lines[2].data(),
                                      lines[3].data(), nullptr};
  const int failed = ::posix_spawn(&process_, options_.program.c_str(), &actions, &attributes,
                                   arguments.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    process_ = -1;
    return fail(failed == ENOENT ? Code::kNotFound : Code::kIo,
                "'" + options_.program +
                    "', which reads genome files, does not start: " + std::strerror(failed));
  }
  in_ = std::move(in.write);
  out_ = std::move(out.read);
  messages_ = std::move(messages.read);
  answer_ = std::move(answer.read);
  return {};
}

Result<> Process::take(Handle& from, const std::function<Result<>(ByteView)>& to) {
  const ssize_t got = ::read(from.get(), buffer_.bytes().data(), buffer_.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
  if (got < 0) return system_error(task_.name + ": its reader's pipe");
  if (got == 0) {
    from.close();
    return {};
  }
  // What it prints is no work: it could go on with that for ever.
  if (&from != &messages_) alive_ = steady_clock::now();
  return to(buffer_.bytes().first(static_cast<std::size_t>(got)));
}

Result<> Process::feed() {
  if (memory_.empty() && source_) {
    TRY_ASSIGN(const std::size_t got, source_(from_source_.bytes()));
    if (got == 0) source_ = nullptr;
    memory_ = from_source_.bytes().first(got);
    fed_ += got;
    if (options_.progress) options_.progress(fed_);
  }
  if (!memory_.empty()) {
    const ssize_t put = ::write(in_.get(), memory_.data(), std::min(memory_.size(), kPipeBytes));
    if (put < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (put < 0 && errno != EPIPE) return system_error(task_.name + ": its reader's pipe");
    if (put < 0) {  // it has read what it wants
      memory_ = {};
      source_ = nullptr;
    }
    if (put > 0) memory_ = memory_.subspan(static_cast<std::size_t>(put));
    alive_ = steady_clock::now();
  }
  if (memory_.empty() && !source_) in_.close();
  return {};
}

// What only time tells.
Result<> Process::look() {
  if (options_.stop != nullptr && options_.stop->load()) {
    return fail(Code::kCancelled, task_.name + ": stopped");
  }
  // The offset of an open file is shared with the process, and so tells how far it is.
  const off_t at = input_file_ < 0 ? -1 : ::lseek(input_file_, 0, SEEK_CUR);
  if (at >= 0 && static_cast<std::uint64_t>(at) != seen_) {
    seen_ = static_cast<std::uint64_t>(at);
    alive_ = steady_clock::now();
    if (options_.progress) options_.progress(seen_);
  }
  if (steady_clock::now() - alive_ <= options_.patience) return {};
  return fail(Code::kTimeout, task_.name + ": the process that reads it gave no sign of life for " +
                                  std::to_string(options_.patience.count()) + " s and was ended");
}

Result<> Process::step(const Sink& sink) {
  std::array<pollfd, 4> waits{};
  const std::array<Handle*, 4> handles = {&in_, &out_, &messages_, &answer_};
  for (std::size_t i = 0; i < waits.size(); ++i) {
    waits[i] = {handles[i]->get(), static_cast<short>(i == 0 ? POLLOUT : POLLIN), 0};
  }
  const int ready = ::poll(waits.data(), waits.size(), kLookMs);
  if (ready < 0 && errno != EINTR) return system_error(task_.name + ": its reader's pipes");
  if (waits[0].revents != 0 && in_.open()) TRY(feed());
  if (waits[1].revents != 0 && out_.open()) {
    TRY(take(out_, [&](ByteView bytes) -> Result<> {
      written_ += bytes.size();
      if (written_ > options_.most_output) {
        return fail(Code::kCorrupt, task_.name + ": gives more than the " +
                                        std::to_string(options_.most_output) +
                                        " bytes that were allowed");
      }
      return sink(bytes);
    }));
  }
  if (waits[2].revents != 0 && messages_.open()) {
    TRY(take(messages_, [&](ByteView bytes) -> Result<> {
      printed_ += as_text(bytes);
      if (printed_.size() > kMaxMessages) printed_.erase(0, printed_.size() - kMaxMessages);
      return {};
    }));
  }
  if (waits[3].revents != 0 && answer_.open()) {
    TRY(take(answer_, [&](ByteView bytes) -> Result<> {
      if (report_.size() + bytes.size() > kMaxAnswerBytes) {
        return fail(Code::kCorrupt, task_.name + ": its reader answers too much");
      }
      report_.insert(report_.end(), bytes.begin(), bytes.end());
      return {};
    }));
  }
  return look();
}

Result<Answer> Process::finish(const Sink& sink) {
  while (out_.open() || messages_.open() || answer_.open()) TRY(step(sink));
  int status = 0;
  pid_t over = 0;
  while ((over = ::waitpid(process_, &status, 0)) < 0 && errno == EINTR) {
  }
  process_ = -1;
  if (over < 0) return system_error("the process that reads genome files");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || report_.empty()) return ended(status);
  if (report_.front() == 0 && !printed_.empty()) {
    // The error, and what htslib said of it.
    const auto told = parse_digest(report_);
    if (!told) {
      Error error = told.error();
      error.message = task_.name + ": " + error.message + " (htslib: " + printable(printed_) + ")";
      return std::unexpected(std::move(error));
    }
  } else if (report_.front() == 0) {
    const auto told = parse_digest(report_);
    if (!told) return fail_in(task_.name, told.error());
  }
  return std::move(report_);
}

std::unexpected<Error> Process::ended(int status) {
  std::string how = "ended with code " + std::to_string(WEXITSTATUS(status)) + " and no answer";
  Code code = Code::kCorrupt;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* name = ::strsignal(signal);
    how = "was ended by signal " + std::to_string(signal) + " (" + (name ? name : "?") + ")";
    if (signal == SIGXCPU || signal == SIGKILL) {
      how = "used more processor time than the " + std::to_string(task_.processor_seconds) +
            " s that it is allowed, or was ended from outside";
      code = Code::kTimeout;
    }
  }
  return fail(code, task_.name + ": the process that reads it " + how +
                        "; the file is damaged or hostile" +
                        (printed_.empty() ? "" : " (htslib: " + printable(printed_) + ")"));
}

void Process::end() {
  if (process_ < 0) return;
  (void)::kill(process_, SIGKILL);
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

// SIGPIPE of this thread, kept away while a pipe is fed whose reader may be gone.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    (void)::sigemptyset(&set_);
    (void)::sigaddset(&set_, SIGPIPE);
    (void)::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~NoPipeSignal() {
    if (::sigismember(&before_, SIGPIPE) == 0) {
      const timespec now{};
      while (::sigtimedwait(&set_, nullptr, &now) > 0) {
      }
    }
    (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t set_{};
  sigset_t before_{};
};

Result<Answer> run(const Task& task, const Input& input, const Sink& sink,
                   const RunOptions& options) {
  if (task.regions.size() > kMaxRegions || task.sites.size() > kMaxSites) {
    return fail(Code::kInvalidArgument, task.name + ": at most 10,000 regions and 100,000 sites");
  }
  const NoPipeSignal quiet;
  Process process(task, options);
  TRY(process.start(input));
  return process.finish(sink);
}

Result<> no_output(ByteView) {
  return fail(Code::kProtocol, "output where none was asked for");
}

}  // namespace

std::string helper_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto beside = self.parent_path() / "warifu-genome-helper";
  if (!error && std::filesystem::exists(beside, error)) return beside.string();
  return "/usr/libexec/warifu/warifu-genome-helper";
}

Result<Inspection> run_inspect(const Task& task, const Input& input, const RunOptions& options) {
  TRY_ASSIGN(const Answer answer, run(task, input, no_output, options));
  return parse_inspection(answer);
}

Result<RecordDigest> run_digest(const Task& task, const Input& input, const RunOptions& options) {
  TRY_ASSIGN(const Answer answer, run(task, input, no_output, options));
  return parse_digest(answer);
}

Result<TrimReport> run_writing(const Task& task, const Input& input, const Sink& sink,
                               const RunOptions& options) {
  TRY_ASSIGN(const Answer answer, run(task, input, sink, options));
  return parse_trim_report(answer);
}

Result<std::vector<SitePileup>> run_pileup(const Task& task, const Input& input,
                                           const RunOptions& options) {
  TRY_ASSIGN(const Answer answer, run(task, input, no_output, options));
  TRY_ASSIGN(auto sites, parse_pileup(answer));
  if (sites.size() == task.sites.size()) return sites;
  return fail(Code::kProtocol, task.name + ": an answer about other sites");
}

}  // namespace warifu::genome
