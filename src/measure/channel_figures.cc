// A sending process and a receiving one with the project's own channel between them, and scp
// through an sshd of this run alone; both end on the same disk.
#include "measure/channel_figures.h"

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "base/units.h"
#include "channel/server.h"
#include "control/share_sink.h"
#include "kme/key_manager.h"
#include "kme/preshare.h"
#include "measure/process.h"
#include "os/system.h"

namespace warifu::measure {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kShareBytes = 512ULL << 20;
constexpr std::uint64_t kQuickBytes = 16ULL << 20;
constexpr std::uint16_t kUpload = 1;
constexpr const char* kPeerMissing =
    "scp: not installed: apt-get install openssh-client openssh-server";

// --- the channel ---

struct Ends {
  SiteName left = *SiteName::parse("left");
  SiteName right = *SiteName::parse("right");
  LinkId link = os::random_id<LinkId>(os::kernel_random());
  std::string left_dir, right_dir;
};

// Pools at both ends, loaded through preshared files.
Result<> make_link(const Ends& ends, const Scratch& scratch, std::uint64_t key_bytes) {
  const os::System system = os::real_system();
  TRY(kme::create_link_pools(system, ends.left_dir,
                             {ends.right, kme::LinkClass::kPreshared, ends.link}));
  TRY(kme::create_link_pools(system, ends.right_dir,
                             {ends.left, kme::LinkClass::kPreshared, ends.link}));
  const std::string files[2] = {scratch / "key.left", scratch / "key.right"};
  const auto silent = [](std::uint64_t, std::uint64_t) {};
  TRY(kme::make_preshare(system, {ends.link, ends.left, ends.right, {}, {}, key_bytes, 8U << 20},
                         files[0], files[1], silent));
  for (const bool left : {true, false}) {
    const SiteName& peer = left ? ends.right : ends.left;
    TRY_ASSIGN(const auto keys,
               kme::KeyManager::open(system, left ? ends.left_dir : ends.right_dir,
                                     {{peer, kme::LinkClass::kPreshared, ends.link}}));
    kme::Link* link = keys->link_to(peer);
    TRY(kme::import_preshare(system, files[left ? 0 : 1], left ? ends.left : ends.right,
                             link->send(), link->receive(), silent));
    fs::remove(files[left ? 0 : 1]);
  }
  return {};
}

// A plain file behind the sink that sites write shares with.
class FileWriter final : public store::ShareWriter {
 public:
  explicit FileWriter(os::File& file) : file_(file) {}
  const store::ShareHeader& header() const override { return header_; }
  const store::ShareLayout& layout() const override {
    abort_with(__FILE__, __LINE__, "the file of a measurement has no layout");
  }
  ChunkIndex next_chunk() const override { return {records_}; }
  std::uint64_t durable_chunks() const override { return durable_; }
  Result<> append(ByteView record) override {
    TRY(file_.write_at(at_, record));
    at_ += record.size();
    ++records_;
    return {};
  }
  Result<> sync() override {
    file_.sync();
    durable_ = records_;
    return {};
  }
  Result<> truncate_to(ChunkIndex) override { return no(); }
  Result<> commit() override { return no(); }
  Result<> abandon() override { return no(); }

 private:
  static Result<> no() {
    return fail(Code::kInvalidArgument, "a file of a measurement only grows");
  }
  os::File& file_;
  store::ShareHeader header_;
  std::uint64_t at_ = 0, records_ = 0, durable_ = 0;
};

// Takes an upload to disk as a site does: written and synced by a second thread, window by window.
Result<> take_upload(channel::Exchange& exchange, const std::string& path) {
  TRY_ASSIGN(const auto file, os::real_files().open(path, os::OpenMode::kOpenOrCreate));
  auto& upload = exchange.upload();
  FileWriter writer(*file);
  control::ShareSink sink(writer, upload.shape().frames);
  while (!upload.finished()) {
    TRY_ASSIGN(secret::Buffer frame, upload.receive());
    TRY(sink.put(std::move(frame)));
    if (!upload.ack_due()) continue;
    TRY(sink.wait_durable(upload.due_frames()));
    TRY(upload.acknowledge());
  }
  return exchange.reply({});
}

// The receiving process: serves until its end of the pipe is closed, then exits.
[[noreturn]] void serve(const Ends& ends, std::unique_ptr<os::Listener> listener, int until,
                        const std::string& path) {
  const auto served = [&]() -> Result<> {
    TRY_ASSIGN(const auto keys,
               kme::KeyManager::open(os::real_system(), ends.right_dir,
                                     {{ends.left, kme::LinkClass::kPreshared, ends.link}}));
    channel::Caller caller(
        *keys, {.self = ends.right, .addresses = {}, .next_hop = {{ends.left, ends.left}}});
    channel::Server server(*keys, caller, std::move(listener));
    server.handle(kUpload,
                  [&](channel::Exchange& exchange) { return take_upload(exchange, path); });
    server.start();
    char byte = 0;
    while (::read(until, &byte, 1) < 0 && errno == EINTR) {
    }
    server.stop();
    return {};
  }();
  ::_exit(served ? 0 : 1);
}

class Receiver {
 public:
  // Must be called while no other thread runs: the process is forked.
  static Result<std::unique_ptr<Receiver>> start(const Ends& ends, const std::string& path) {
    TRY_ASSIGN(auto listener, os::listen_tcp({"127.0.0.1", 0}));
    const std::uint16_t port = listener->port();
    int ends_of_pipe[2];
    if (::pipe(ends_of_pipe) != 0) return fail(Code::kIo, "cannot make a pipe");
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(ends_of_pipe[1]);
      serve(ends, std::move(listener), ends_of_pipe[0], path);
    }
    ::close(ends_of_pipe[0]);
    if (pid < 0) return fail(Code::kIo, "cannot fork");
    return std::unique_ptr<Receiver>(new Receiver(pid, ends_of_pipe[1], port));
  }
  ~Receiver() {
    ::close(pipe_);
    int status = 0;
    while (::waitpid(pid_, &status, 0) != pid_ && errno == EINTR) {
    }
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Receiver(pid_t pid, int pipe, std::uint16_t port) : pid_(pid), pipe_(pipe), port_(port) {}
  pid_t pid_;
  int pipe_;
  std::uint16_t port_;
};

// Waits until both ends have removed the files of used key, and gives the seconds it took; the turn
// of scp must not pay for it.
double wait_swept(const Settings& settings, const Ends& ends, kme::KeyManager& left) {
  const double start = seconds_now();
  const std::size_t kept = left.link_to(ends.right)->send().segments().size();
  const auto files_in = [](const std::string& dir) {
    const auto names = os::real_files().list(dir);
    return !names ? 0 : std::ranges::count_if(*names, [](const std::string& name) {
      return name.starts_with("seg-");
    });
  };
  const std::string dirs[2] = {
      kme::pool_dir(ends.left_dir, ends.right, keypool::Direction::kSend),
      kme::pool_dir(ends.right_dir, ends.left, keypool::Direction::kReceive)};
  while (!stopped(settings) &&
         (std::cmp_greater(files_in(dirs[0]), kept) || std::cmp_greater(files_in(dirs[1]), kept))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const double waited = seconds_now() - start - as_double(keypool::kSweepAfter.count());
  return std::max(waited, 0.0);
}

// Seconds until the far end has all of it on disk.
Result<double> send_file(const Settings& settings, channel::Caller& caller, const SiteName& to,
                         const std::string& path) {
  TRY_ASSIGN(const auto file, os::real_files().open(path, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t bytes, file->size());
  const channel::StreamShape shape{(bytes + limits::kMaxRecordBytes - 1) / limits::kMaxRecordBytes,
                                   bytes, limits::kMaxRecordBytes};
  const double start = seconds_now();
  TRY_ASSIGN(auto call, caller.start({.to = to, .method = kUpload, .upload = shape, .body = {}}));
  secret::Buffer frame(limits::kMaxRecordBytes);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    if (stopped(settings)) return fail(Code::kCancelled, "stopped");
    const MutableBytes payload = frame.bytes().first(shape.frame_length(i));
    TRY(file->read_exact_at(at, payload));
    TRY(call.send(payload));
    at += payload.size();
  }
  TRY(call.reply());
  return seconds_now() - start;
}

// --- scp ---

class ScpPeer {
 public:
  static Result<std::unique_ptr<ScpPeer>> start(const Settings& settings, const Scratch& scratch) {
    std::unique_ptr<ScpPeer> peer(new ScpPeer(scratch));
    TRY(run_good(settings,
                 {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch / "host_key"}));
    TRY(run_good(settings,
                 {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch / "user_key"}));
    fs::copy_file(scratch / "user_key.pub", scratch / "authorized");
    {
      // A port that was free a moment ago; sshd cannot be given one that is open already.
      TRY_ASSIGN(const auto listener, os::listen_tcp({"127.0.0.1", 0}));
      peer->port_ = std::to_string(listener->port());
    }
    const passwd* user = ::getpwuid(::getuid());
    if (user == nullptr) return fail(Code::kNotFound, "this user has no name, which sshd wants");
    peer->user_ = user->pw_name;
    const std::string config = fmt::format(
        "ListenAddress 127.0.0.1\nPort {}\nHostKey {}/host_key\nAuthorizedKeysFile {}/authorized\n"
        "AllowUsers {}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n"
        "PermitRootLogin prohibit-password\nStrictModes no\nPidFile none\nX11Forwarding no\n"
        "AllowTcpForwarding no\nSubsystem sftp internal-sftp\n",
        peer->port_, scratch.path(), scratch.path(), peer->user_);
    TRY(os::replace_file(os::real_files(), scratch / "sshd_config", as_bytes(config)));
    if (::geteuid() == 0) {
      std::error_code ignored;  // sshd of root wants it; Debian makes it when the service starts
      fs::create_directory("/run/sshd", ignored);
    }
    TRY_ASSIGN(auto sshd,
               Background::start({"/usr/sbin/sshd", "-D", "-e", "-f", scratch / "sshd_config"},
                                 scratch / "sshd.log"));
    peer->sshd_ = std::make_unique<Background>(std::move(sshd));
    return peer->wait(settings) ? Result<std::unique_ptr<ScpPeer>>(std::move(peer))
                                : fail(Code::kUnavailable, "the sshd of this run does not answer");
  }

  // Seconds until the copy is durable; `cipher` empty: what ssh chooses.
  Result<double> copy(const Settings& settings, const std::string& from, const std::string& to,
                      const std::string& cipher) const {
    std::vector<std::string> words = {"scp", "-q", "-F", "none"};
    add_options(words);
    words.insert(words.end(), {"-P", port_});
    if (!cipher.empty()) words.insert(words.end(), {"-c", cipher});
    words.insert(words.end(), {from, user_ + "@127.0.0.1:" + to});
    const double start = seconds_now();
    TRY(run_good(settings, words));
    TRY_ASSIGN(const auto file, os::real_files().open(to, os::OpenMode::kReadWrite));
    file->sync();
    return seconds_now() - start;
  }

  // The first cipher of ssh's list, which is the one that two equal versions agree on.
  static std::string default_cipher(const Settings& settings) {
    const auto said = run(settings, {"ssh", "-F", "none", "-G", "127.0.0.1"});
    const std::string text = said ? said->out : "";
    const auto at = text.find("\nciphers ");
    if (at == std::string::npos) return "ssh's default";
    const auto from = at + 9;
    return text.substr(from, text.find_first_of(",\n", from) - from);
  }

 private:
  explicit ScpPeer(const Scratch& scratch) : scratch_(scratch) {}

  void add_options(std::vector<std::string>& words) const {
    for (const std::string& option :
         {"IdentityFile=" + (scratch_ / "user_key"), "UserKnownHostsFile=" + (scratch_ / "known"),
          std::string("StrictHostKeyChecking=no"), std::string("IdentitiesOnly=yes"),
          std::string("BatchMode=yes"), std::string("Compression=no"),
          std::string("ConnectTimeout=5")}) {
      words.insert(words.end(), {"-o", option});
    }
  }

  bool wait(const Settings& settings) const {
    for (int i = 0; i < 50 && !stopped(settings); ++i) {
      std::vector<std::string> words = {"ssh", "-q", "-F", "none"};
      add_options(words);
      words.insert(words.end(), {"-p", port_, user_ + "@127.0.0.1", "true"});
      const auto ran = run(settings, words);
      if (ran && ran->code == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  const Scratch& scratch_;
  std::string port_, user_;
  std::unique_ptr<Background> sshd_;
};

}  // namespace

Result<std::vector<Figure>> otp_channel_vs_scp(const Settings& settings) {
  const std::uint64_t bytes = settings.size != 0 ? settings.size
                              : settings.quick   ? kQuickBytes
                                                 : kShareBytes;
  const int rounds = settings.quick ? 1 : 3;
  const std::uint64_t key = bytes * static_cast<std::uint64_t>(rounds);
  if (room(settings.dir) < key * 5 + bytes * 3) {
    return std::vector{not_measured("otp_channel_vs_scp", "the disk is too short")};
  }
  TRY_ASSIGN(const Scratch scratch, Scratch::make(settings.dir));
  Ends ends;
  ends.left_dir = scratch / "left";
  ends.right_dir = scratch / "right";
  settings.tell("two sites and their key");
  TRY(make_link(ends, scratch, key + key / 100 + (8U << 20)));
  TRY(make_random_file(settings, scratch / "share", bytes));
  TRY_ASSIGN(const auto receiver, Receiver::start(ends, scratch / "received"));
  std::unique_ptr<ScpPeer> scp;
  if (installed("scp") && installed("ssh-keygen") && installed("/usr/sbin/sshd")) {
    TRY_ASSIGN(scp, ScpPeer::start(settings, scratch));
  }
  TRY_ASSIGN(const auto keys,
             kme::KeyManager::open(os::real_system(), ends.left_dir,
                                   {{ends.right, kme::LinkClass::kPreshared, ends.link}}));
  channel::Caller caller(*keys, {.self = ends.left,
                                 .addresses = {{ends.right, {"127.0.0.1", receiver->port()}}},
                                 .next_hop = {{ends.right, ends.right}}});
  std::vector<double> own, swept, peer, peer_gcm;
  for (int round = 0; round < rounds; ++round) {
    settings.tell(fmt::format("the channel against scp, round {}", round + 1));
    TRY_ASSIGN(const double seconds, send_file(settings, caller, ends.right, scratch / "share"));
    own.push_back(seconds);
    if (round == 0) TRY(same_bytes(settings, scratch / "share", scratch / "received"));
    fs::remove(scratch / "received");
    swept.push_back(wait_swept(settings, ends, *keys));
    if (scp == nullptr) continue;
    for (const bool gcm : {false, true}) {
      TRY_ASSIGN(const double theirs, scp->copy(settings, scratch / "share", scratch / "copied",
                                                gcm ? "aes128-gcm@openssh.com" : ""));
      (gcm ? peer_gcm : peer).push_back(theirs);
      fs::remove(scratch / "copied");
    }
  }
  Figure figure{
      .name = "otp_channel_vs_scp",
      .value = as_double(bytes) / median(own) / 1e6,
      .unit = "MB/s",
      .goal = 1.5,
      .note = fmt::format("{} on loopback, receiver durable on disk; the files of used key "
                          "were removed afterwards, in {:.1f} s; ",
                          human_bytes(bytes), median(swept))};
  if (scp == nullptr) {
    figure.goal = 0;
    figure.note += kPeerMissing;
    return std::vector{figure};
  }
  figure.ratio = median(peer) / median(own);
  figure.against = "scp (" + ScpPeer::default_cipher(settings) + ", its default)";
  figure.note += fmt::format("scp {:.0f} MB/s; ratio to scp -c aes128-gcm@openssh.com {:.2f}",
                             as_double(bytes) / median(peer) / 1e6, median(peer_gcm) / median(own));
  return std::vector{figure};
}

}  // namespace warifu::measure
