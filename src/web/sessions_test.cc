// Codes and sessions on a simulated clock, with a real log in a temporary folder.
#include "web/sessions.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/temporary_folder.h"

namespace warifu::web {
namespace {

using std::chrono::seconds;

class SessionsTest : public testing::Test {
 protected:
  SessionsTest() {
    settings_.session = seconds(3600);
    settings_.idle = seconds(600);
    log_ = *audit::Log::open(system_, dir_ + "/audit.log", *SiteName::parse("lsa"));
    sessions_ = std::make_unique<Sessions>(system_, settings_, *log_);
  }
  Code login_code(std::string_view code) {
    const auto secrets = sessions_->login(code);
    return secrets ? Code() : secrets.error().code;
  }
  std::size_t logged(const std::string& event) {
    std::size_t count = 0;
    const auto records = log_->read(1, 1000);
    for (const audit::Record& record : *records) count += record.event == event ? 1U : 0U;
    return count;
  }

  sim::TemporaryFolder dir_;
  sim::SimClock clock_;
  os::System system_{os::real_files(), clock_, os::kernel_random()};
  Settings settings_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<Sessions> sessions_;
};

TEST_F(SessionsTest, ACodeWorksOnceAndAsItMayBeTyped) {
  std::string code = *sessions_->make_code(1207, "sato");
  ASSERT_EQ(code.size(), 9U);
  EXPECT_EQ(code[4], '-');
  for (char& c : code) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '0') c = 'o';
    if (c == '1') c = 'l';
    if (c == '-') c = ' ';
  }
  const auto secrets = sessions_->login(code);
  ASSERT_TRUE(secrets) << secrets.error().message;
  const auto session = sessions_->recognise(secrets->cookie, secrets->key);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->user, 1207U);
  EXPECT_EQ(session->name, "sato");
  EXPECT_EQ(login_code(code), Code::kRefused);
  EXPECT_EQ(logged("web_session_began"), 1U);
  EXPECT_EQ(logged("web_login_refused"), 1U);
}

TEST_F(SessionsTest, BothSecretsAreNeeded) {
  const auto one = *sessions_->login(*sessions_->make_code({}, ""));
  const auto two = *sessions_->login(*sessions_->make_code({}, ""));
  EXPECT_TRUE(sessions_->recognise(one.cookie, one.key));
  EXPECT_FALSE(sessions_->recognise(one.cookie, two.key));
  EXPECT_FALSE(sessions_->recognise(one.cookie, ""));
  EXPECT_FALSE(sessions_->recognise("", one.key));
  EXPECT_FALSE(sessions_->recognise(one.key, one.cookie));
}

TEST_F(SessionsTest, CodesGetOldAndAreFew) {
  const std::string code = *sessions_->make_code({}, "");
  clock_.advance(kCodeLife + seconds(1));
  EXPECT_EQ(login_code(code), Code::kRefused);
  for (std::size_t i = 0; i < kOpenCodes; ++i) EXPECT_TRUE(sessions_->make_code({}, ""));
  EXPECT_EQ(sessions_->make_code({}, "").error().code, Code::kBusy);
  clock_.advance(kCodeLife + seconds(1));
  EXPECT_TRUE(sessions_->make_code({}, ""));
}

TEST_F(SessionsTest, GuessingStopsAllLoginsForAMinuteAndDoesNotFillTheLog) {
  const std::string code = *sessions_->make_code({}, "");
  for (unsigned i = 0; i < kWrongCodes; ++i) EXPECT_EQ(login_code("00000000"), Code::kRefused);
  EXPECT_EQ(login_code(code), Code::kRefused);
  clock_.advance(seconds(61));
  EXPECT_TRUE(sessions_->login(code));
  for (unsigned i = 0; i < 2 * kRefusalsAnHour; ++i) {
    clock_.advance(seconds(4));
    (void)login_code("00000000");
  }
  EXPECT_EQ(logged("web_login_refused"), kRefusalsAnHour);
}

TEST_F(SessionsTest, SessionsEndByTimeByIdlenessAndByOrder) {
  const auto used = *sessions_->login(*sessions_->make_code({}, ""));
  const auto idle = *sessions_->login(*sessions_->make_code({}, ""));
  for (int i = 0; i < 7; ++i) {
    EXPECT_TRUE(sessions_->recognise(used.cookie, used.key));
    clock_.advance(seconds(500));
  }
  EXPECT_FALSE(sessions_->recognise(idle.cookie, idle.key));
  EXPECT_TRUE(sessions_->lives(used.id));
  clock_.advance(seconds(101));
  EXPECT_FALSE(sessions_->lives(used.id)) << "an hour is over";
  const auto ended = *sessions_->login(*sessions_->make_code({}, ""));
  EXPECT_EQ(sessions_->list().size(), 1U);
  EXPECT_TRUE(*sessions_->end(ended.id));
  EXPECT_FALSE(*sessions_->end(ended.id));
  EXPECT_FALSE(sessions_->recognise(ended.cookie, ended.key));
  EXPECT_EQ(logged("web_session_ended"), 1U);
}

}  // namespace
}  // namespace warifu::web
