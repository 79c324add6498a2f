// What a confined process still can do, tried in one.
#include "genome_helper/confine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <thread>

#include "testing/temporary_folder.h"

namespace warifu::genome_helper {
namespace {

constexpr std::uint64_t kMemory = 1ULL << 30U;

// Past the C library, as an intruder would.
int open_file(const char* path, int flags, int mode = 0) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

// The code with which a confined copy of this process ends; -N for signal N.
int confined(const std::function<bool()>& attempt, std::uint64_t seconds = 5) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!confine(kMemory, seconds, 0)) ::_exit(99);
    ::_exit(attempt() ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(ConfineTest, NoFileNetworkProgramOrProcessIsReached) {
  const sim::TemporaryFolder dir;
  const std::string mine = dir + "/mine";
  const int kept = ::fcntl(STDERR_FILENO, F_DUPFD, 50);
  const struct {
    const char* what;
    std::function<bool()> attempt;
  } attempts[] = {
      {"read a file", [] { return open_file("/etc/hostname", O_RDONLY) >= 0; }},
      {"read a file at a folder", [] { return open_file("/proc/self/maps", O_RDONLY) >= 0; }},
      {"make a file", [&] { return open_file(mine.c_str(), O_CREAT | O_WRONLY, 0600) >= 0; }},
      {"make a folder", [&] { return ::mkdir(mine.c_str(), 0700) == 0; }},
      {"look at a file",
       [] {
         struct stat status{};
         return ::stat("/etc/hostname", &status) == 0;
       }},
      {"remove a file", [] { return ::unlink("/tmp/never-there") == 0 || errno == ENOENT; }},
      {"internet", [] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }},
      {"sockets of this machine", [] { return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }},
      {"another program",
       [] {
         char* const none[] = {nullptr};
         return ::execve("/bin/true", none, none) == 0;
       }},
      {"another process",
       [] {
         const pid_t child = ::fork();
         if (child == 0) ::_exit(0);
         return child > 0;
       }},
      {"a signal to the parent", [] { return ::kill(::getppid(), 0) == 0; }},
      {"executable memory",
       [] {
         return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                MAP_FAILED;
       }},
      {"memory made executable",
       [] {
         void* page =
             ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return page == MAP_FAILED || ::mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
       }},
      {"its parent's descriptors",
       [&] { return ::fcntl(kept, F_GETFD) >= 0 || ::lseek(kept, 0, SEEK_CUR) >= 0; }},
      {"more memory",
       [] {
         return ::mmap(nullptr, 2 * kMemory, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                MAP_FAILED;
       }},
      {"other limits",
       [] {
         const rlimit more{RLIM_INFINITY, RLIM_INFINITY};
         return ::setrlimit(RLIMIT_AS, &more) == 0;
       }},
  };
  ASSERT_GE(kept, 50);
  for (const auto& one : attempts) EXPECT_EQ(confined(one.attempt), 0) << one.what;
  ::close(kept);
}

TEST(ConfineTest, WhatDecodingNeedsWorks) {
  EXPECT_EQ(confined([] {
              int sum = 0;
              std::thread([&] { sum = 7; }).join();
              void* memory = std::malloc(50'000'000);
              const bool good = sum == 7 && memory != nullptr;
              std::free(memory);
              return good;
            }),
            1);
}

TEST(ConfineTest, EndlessWorkIsEnded) {
  const int ended = confined(
      [] {
        std::atomic<std::uint64_t> turns = 0;
        for (;;) ++turns;
        return true;
      },
      1);
  EXPECT_TRUE(ended == -SIGXCPU || ended == -SIGKILL) << ended;
}

}  // namespace
}  // namespace warifu::genome_helper
