// What is open to a process that was kept to its files: each in a child, for it is for good.
#include "os/file_sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "testing/temporary_folder.h"

namespace warifu::os {
namespace {

bool can_open(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags, 0600);
  if (file < 0) return false;
  ::close(file);
  return true;
}

// The child's word: 0, or which check went wrong; 100: this kernel has no Landlock.
int check(const std::string& dir) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
  const auto kept = keep_to_files("/usr/lib/some.so", {dir + "/mine"});
  if (!kept) return 2;
  if (*kept == FileSandbox::kNone) return 100;
  if (can_open(dir + "/theirs/secret", O_RDONLY)) return 3;
  if (can_open(dir + "/theirs/new", O_WRONLY | O_CREAT)) return 4;
  if (can_open("/etc/passwd", O_WRONLY)) return 5;
  if (can_open("/tmp/warifu-sandbox-test", O_WRONLY | O_CREAT)) return 6;
  if (::rename((dir + "/mine/token").c_str(), (dir + "/theirs/token").c_str()) == 0) return 7;
  if (::truncate((dir + "/theirs/secret").c_str(), 0) == 0) return 8;
  if (!can_open("/etc/passwd", O_RDONLY) || !can_open("/dev/urandom", O_RDONLY)) return 9;
  if (!can_open("/dev/null", O_WRONLY)) return 10;
  if (!can_open(dir + "/mine/token", O_RDWR | O_TRUNC)) return 11;
  if (!can_open(dir + "/mine/new", O_WRONLY | O_CREAT)) return 12;
  return 0;
}

TEST(FileSandboxTest, OnlyTheSystemsFilesAndThoseNamedAreOpen) {
  const sim::TemporaryFolder dir;
  for (const char* name : {"/mine", "/theirs"}) std::filesystem::create_directory(dir + name);
  std::ofstream(dir + "/mine/token") << "token";
  std::ofstream(dir + "/theirs/secret") << "secret";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(check(dir));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 100) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(FileSandboxTest, AFolderThatIsNotThereIsNamed) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const auto kept = keep_to_files("x.so", {"/nowhere"});
    const bool named = !kept && kept.error().code == Code::kNotFound &&
                       kept.error().message.find("/nowhere") != std::string::npos;
    const bool is_off = kept && *kept == FileSandbox::kNone;
    ::_exit(named || is_off ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace warifu::os
