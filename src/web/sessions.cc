// Codes, digests, ends.
#include "web/sessions.h"

#include <algorithm>
#include <array>

#include "base/reason.h"

namespace warifu::web {
namespace {

// Crockford's base 32: no I, L, O, U.
constexpr std::string_view kLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kCodeLetters = 8;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kIdBytes = 4;
constexpr std::chrono::minutes kMinute(1);
constexpr std::chrono::hours kHour(1);

crypto::Digest digest_of(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

// As it may be typed: small letters, blanks, hyphens, and letters that look like digits.
std::string plain_code(std::string_view typed) {
  std::string code;
  for (const char c : typed) {
    const char big = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (big == ' ' || big == '-') continue;
    code += big == 'O' ? '0' : (big == 'I' || big == 'L') ? '1' : big;
    if (code.size() > kCodeLetters) break;
  }
  return code;
}

}  // namespace

std::string Sessions::random_hex(std::size_t bytes) {
  Bytes random(bytes);
  system_.random.fill(random);
  return to_hex(random);
}

void Sessions::forget_old() {
  const auto now = system_.clock.monotonic();
  std::erase_if(codes_, [&](const auto& one) { return now - one.second.made > kCodeLife; });
  std::erase_if(sessions_, [&](const auto& one) {
    return now - one.second.began > settings_.session || now - one.second.used > settings_.idle;
  });
}

unsigned Sessions::count_in(Window& window, std::chrono::nanoseconds now,
                            std::chrono::nanoseconds length) {
  if (window.count == 0 || now - window.began >= length) window = {.began = now, .count = 0};
  return ++window.count;
}

Result<std::string> Sessions::make_code(std::optional<std::uint32_t> user,
                                        const std::string& name) {
  const std::lock_guard lock(mutex_);
  forget_old();
  if (codes_.size() >= kOpenCodes) {
    return fail(Code::kBusy, "too many codes are open: type one of them, or wait two minutes");
  }
  std::array<Byte, kCodeLetters> random{};
  system_.random.fill(random);
  std::string code;
  for (const Byte one : random) code += kLetters[one % kLetters.size()];
  codes_[digest_of(code)] = {.user = user, .name = name, .made = system_.clock.monotonic()};
  return code.insert(kCodeLetters / 2, "-");
}

std::unexpected<Error> Sessions::refuse_code() {
  const auto now = system_.clock.monotonic();
  (void)count_in(wrong_, now, kMinute);
  if (count_in(noted_, now, kHour) <= kRefusalsAnHour) {
    if (auto noted = log_.append("web_login_refused", {}); !noted) {
      return std::unexpected(std::move(noted).error());
    }
  }
  return fail(Code::kRefused, "this code is wrong, used or too old: ask for another one",
              Reason::kCodeWrong);
}

Result<SessionSecrets> Sessions::login(std::string_view typed) {
  const std::lock_guard lock(mutex_);
  forget_old();
  const auto now = system_.clock.monotonic();
  if (wrong_.count >= kWrongCodes && now - wrong_.began < kMinute) {
    return fail(Code::kRefused, "too many wrong codes: no code is looked at for a minute",
                Reason::kCodeWait);
  }
  const auto found = codes_.find(digest_of(plain_code(typed)));
  if (found == codes_.end()) return refuse_code();
  if (sessions_.size() >= kMostSessions) {
    return fail(Code::kBusy, "too many sessions are open (warifu web sessions)");
  }
  const OpenCode code = found->second;
  codes_.erase(found);
  SessionSecrets secrets{random_hex(kIdBytes), random_hex(kSecretBytes), random_hex(kSecretBytes)};
  audit::Fields fields = {{"session", secrets.id}};
  if (!code.name.empty()) fields.emplace_back("operator", code.name);
  TRY(log_.append("web_session_began", fields));
  const os::UnixMs time = system_.clock.now();
  sessions_[digest_of(secrets.cookie)] = {.session = {secrets.id, code.user, code.name, time, time},
                                          .key = digest_of(secrets.key),
                                          .began = now,
                                          .used = now};
  return secrets;
}

// Digests are compared: what their comparison takes long for tells nothing of the secrets.
Result<Session> Sessions::recognise(std::string_view cookie, std::string_view key) {
  const std::lock_guard lock(mutex_);
  forget_old();
  const auto found = sessions_.find(digest_of(cookie));
  if (found == sessions_.end() || found->second.key != digest_of(key)) {
    return fail(Code::kRefused, "log in first: this browser has no session here", Reason::kLogIn);
  }
  found->second.used = system_.clock.monotonic();
  found->second.session.used = system_.clock.now();
  return found->second.session;
}

std::vector<Session> Sessions::list() {
  const std::lock_guard lock(mutex_);
  forget_old();
  std::vector<Session> all;
  for (const auto& [digest, held] : sessions_) all.push_back(held.session);
  std::ranges::sort(all, std::ranges::greater(), &Session::began);
  return all;
}

std::optional<Session> Sessions::find(const std::string& id) {
  for (Session& one : list()) {
    if (one.id == id) return std::move(one);
  }
  return std::nullopt;
}

bool Sessions::lives(const std::string& id) {
  return find(id).has_value();
}

Result<bool> Sessions::end(const std::string& id) {
  const std::lock_guard lock(mutex_);
  forget_old();
  const auto ended =
      std::erase_if(sessions_, [&](const auto& one) { return one.second.session.id == id; });
  if (ended == 0) return false;
  TRY(log_.append("web_session_ended", {{"session", id}}));
  return true;
}

}  // namespace warifu::web
