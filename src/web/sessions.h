// One-time codes and sessions of browsers on the site's own machine.
//
// A process that may use the site's socket asks for a code and so shows that it may; the code is
// typed into the page, once and within kCodeLife, and makes a session that stands for that process
// (its uid). A session is held by two secrets of 256 bits: one in a cookie that scripts cannot read
// but that a browser sends to every port of the machine, and one that the page keeps in the storage
// of its origin and sends in a header, which no other port ever sees. Both are needed. Only their
// digests are kept, in memory: a restart of the site ends all sessions. Codes have 40 bits and live
// two minutes; wrong ones are counted for the whole site, and beyond kWrongCodes in a minute no
// code is looked at until it is over. Logins, ends and wrong codes (at most kRefusalsAnHour) are in
// the log.
//
// Ownership: system, settings and log must outlive it. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audit/log.h"
#include "crypto/crypto.h"
#include "web/settings.h"

namespace warifu::web {

inline constexpr std::chrono::seconds kCodeLife{120};
inline constexpr std::size_t kOpenCodes = 8;
inline constexpr std::size_t kMostSessions = 64;
inline constexpr unsigned kWrongCodes = 20;
inline constexpr unsigned kRefusalsAnHour = 200;

struct Session {
  std::string id;  // 8 hexadecimal digits: names it to people, opens nothing
  std::optional<std::uint32_t> user;
  std::string name;  // of the operator; empty in single-operator mode
  os::UnixMs began, used;
};

// What a browser gets at its login, and nobody ever again.
struct SessionSecrets {
  std::string id;
  std::string cookie;  // 64 hexadecimal digits
  std::string key;     // the same, for the header
};

class Sessions {
 public:
  Sessions(os::System system, const Settings& settings, audit::Log& log)
      : system_(system), settings_(settings), log_(log) {}

  // A code for whoever asks, "7KQ2-M9XD". Errors: kBusy while kOpenCodes are open.
  [[nodiscard]] Result<std::string> make_code(std::optional<std::uint32_t> user,
                                              const std::string& name);
  // Errors: kRefused (wrong, used or too old; or too many wrong ones before), kBusy
  // (kMostSessions), those of the log.
  [[nodiscard]] Result<SessionSecrets> login(std::string_view code);
  // The session that both secrets hold, which is used now. Errors: kRefused.
  [[nodiscard]] Result<Session> recognise(std::string_view cookie, std::string_view key);
  // Is it still there? Looking does not use it.
  [[nodiscard]] bool lives(const std::string& id);
  // Those that live, the newest first.
  [[nodiscard]] std::vector<Session> list();
  [[nodiscard]] std::optional<Session> find(const std::string& id);
  // False: there is none. Errors: those of the log; it has ended all the same.
  [[nodiscard]] Result<bool> end(const std::string& id);
  [[nodiscard]] const Settings& settings() const { return settings_; }

 private:
  struct OpenCode {
    std::optional<std::uint32_t> user;
    std::string name;
    std::chrono::nanoseconds made{};
  };
  struct Held {
    Session session;
    crypto::Digest key{};
    std::chrono::nanoseconds began{}, used{};
  };
  struct Window {
    std::chrono::nanoseconds began{};
    unsigned count = 0;
  };
  void forget_old();
  std::string random_hex(std::size_t bytes);
  std::unexpected<Error> refuse_code();
  static unsigned count_in(Window& window, std::chrono::nanoseconds now,
                           std::chrono::nanoseconds length);

  os::System system_;
  const Settings& settings_;
  audit::Log& log_;
  std::mutex mutex_;
  std::map<crypto::Digest, OpenCode> codes_;  // by their digests
  std::map<crypto::Digest, Held> sessions_;   // by the digests of their cookies
  Window wrong_, noted_;
};

}  // namespace warifu::web
