// Programs in the place of the sandboxed process that crash, hang, flood and lie: what is made of
// them, and that nothing is left running.
#include "genome/tool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "genome/local.h"
#include "testing/temporary_folder.h"

namespace warifu::genome {
namespace {

class ToolTest : public testing::Test {
 protected:
  // Runs a shell script as the process, over some bytes.
  Result<TrimReport> run(const std::string& script) {
    const std::string path = dir_ + "/program";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    (void)::chmod(path.c_str(), 0700);
    Task task;
    task.operation = Operation::kTrim;
    task.name = "person.bam";
    RunOptions options;
    options.program = path;
    options.patience = std::chrono::seconds(1);
    options.most_output = 1'000'000;
    output_.clear();
    const auto keep = [&](ByteView bytes) -> Result<> {
      output_ += as_text(bytes);
      return {};
    };
    return run_writing(task, Input{.descriptor = -1, .memory = input_}, keep, options);
  }

  void expect(const std::string& script, Code code, const std::string& part) {
    const auto done = run(script);
    ASSERT_FALSE(done) << script;
    EXPECT_EQ(done.error().code, code) << done.error().message;
    EXPECT_TRUE(done.error().message.starts_with("person.bam: ")) << done.error().message;
    EXPECT_NE(done.error().message.find(part), std::string::npos) << done.error().message;
  }

  sim::TemporaryFolder dir_;
  Bytes input_ = Bytes(300'000, 'x');
  std::string output_;
};

TEST_F(ToolTest, ACrashIsToldAndTheCallerLives) {
  expect("kill -SEGV $$", Code::kCorrupt, "signal 11");
  expect("kill -ABRT $$", Code::kCorrupt, "signal 6");
  expect("kill -XCPU $$", Code::kTimeout, "processor time");
  expect("exit 3", Code::kCorrupt, "code 3 and no answer");
  expect("exit 0", Code::kCorrupt, "no answer");
}

TEST_F(ToolTest, AHangAndAFloodAreEnded) {
  expect("exec sleep 100", Code::kTimeout, "no sign of life");
  expect("exec cat /dev/zero", Code::kCorrupt, "1000000");
  expect("while :; do echo junk >&2; done", Code::kTimeout, "no sign of life");
}

TEST_F(ToolTest, WhatItAnswersIsHeldAgainstTheFormat) {
  expect("printf '\\000\\004\\005\\000wrong' >&4", Code::kCorrupt, "wrong");
  expect("printf '\\000\\004\\005\\000wrong' >&4; echo '[E] it said' >&2", Code::kCorrupt,
         "it said");
  const auto lie = run("printf '\\001abc' >&4");
  ASSERT_FALSE(lie);
  EXPECT_EQ(lie.error().code, Code::kProtocol);
  const auto good =
      run("cat; printf '\\001\\002\\0\\0\\0\\0\\0\\0\\0\\001\\0\\0\\0\\0\\0\\0\\0' >&4");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->records_read, 2U);
  EXPECT_EQ(output_, std::string(input_.begin(), input_.end()));
}

TEST_F(ToolTest, TheProcessGetsNothingOfItsParent) {
  ::setenv("WARIFU_SECRET", "key", 1);
  ASSERT_GE(::dup2(STDERR_FILENO, 77), 0);  // not closed on exec: the process closes it itself
  const auto done = run("env; printf '\\001\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0' >&4");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(output_.find("WARIFU_SECRET"), std::string::npos);
  EXPECT_NE(output_.find("REF_PATH=/none"), std::string::npos);
  ::close(77);
}

TEST_F(ToolTest, AProgramThatIsNotThereIsNamed) {
  Task task;
  task.name = "person.bam";
  RunOptions options;
  options.program = dir_ + "/nothing";
  const auto done = run_inspect(task, Input{.descriptor = -1, .memory = {}}, options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kNotFound);
  EXPECT_NE(done.error().message.find("nothing"), std::string::npos);
}

TEST(CompareTest, AnIndexMayFindMoreButNeverLess) {
  const auto parse = [](std::string_view text) { return *parse_index(as_bytes(text), "x"); };
  const Index file = parse("0\t1\t50\t100\t9\t9\n0\t40\t60\t200\t9\t9\n");
  std::string why;
  EXPECT_EQ(compare_indexes(file, file, why), IndexState::kEqual);
  EXPECT_EQ(compare_indexes(parse("0\t40\t60\t200\t9\t9\n0\t1\t50\t100\t9\t9\n"), file, why),
            IndexState::kInEffect);
  EXPECT_EQ(compare_indexes(parse("0\t1\t55\t100\t9\t9\n0\t40\t60\t200\t9\t9\n"), file, why),
            IndexState::kInEffect);
  EXPECT_EQ(compare_indexes(parse("0\t1\t49\t100\t9\t9\n0\t40\t60\t200\t9\t9\n"), file, why),
            IndexState::kDiffers);
  EXPECT_NE(why.find("container at 100"), std::string::npos) << why;
  EXPECT_EQ(compare_indexes(parse("0\t1\t50\t100\t9\t9\n"), file, why), IndexState::kDiffers);
  EXPECT_EQ(
      compare_indexes(parse("0\t1\t50\t100\t9\t9\n0\t40\t60\t200\t9\t9\n0\t1\t9\t300\t9\t9\n"),
                      file, why),
      IndexState::kDiffers);
}

TEST(TaskTest, WhatIsAskedArrivesAndNoCutMessageDoes) {
  Task task;
  task.operation = Operation::kTrim;
  task.name = "a";
  task.regions = {{"20", 5, 9}, {"*", 0, kEndOfReference}};
  task.selection.fields = {"POS", "SEQ"};
  task.selection.notags = {"RG"};
  task.sites = {{"X", 77}};
  const Bytes bytes = encode_task(task);
  const auto back = parse_task(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(encode_task(*back), bytes);
  EXPECT_EQ(back->regions[1].end, kEndOfReference);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_task(ByteView(bytes).first(size)));
  }
}

}  // namespace
}  // namespace warifu::genome
