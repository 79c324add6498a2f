// The real file system and sockets behave as the seam promises.
#include <gtest/gtest.h>

#include <thread>

#include "os/files.h"
#include "os/net.h"
#include "os/system.h"
#include "testing/temporary_folder.h"

namespace warifu::os {
namespace {

class OsTest : public testing::Test {
 protected:
  sim::TemporaryFolder dir_;
};

TEST_F(OsTest, ReplaceFileKeepsNoTemporary) {
  const std::string path = dir_ + "/mark";
  ASSERT_TRUE(replace_file(real_files(), path, as_bytes("one")));
  ASSERT_TRUE(replace_file(real_files(), path, as_bytes("two")));
  EXPECT_EQ(as_text(*read_file(real_files(), path, 10)), "two");
  EXPECT_EQ(real_files().list(dir_)->size(), 1u);
  EXPECT_EQ(read_file(real_files(), path, 2).error().code, Code::kCorrupt);
}

TEST_F(OsTest, ErrorsNameThePath) {
  const auto missing = real_files().open(dir_ + "/nothing", OpenMode::kRead);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("/nothing"), std::string::npos);
  EXPECT_FALSE(real_files().open(dir_, OpenMode::kRead));
}

TEST_F(OsTest, ASecondLockIsRefused) {
  const auto first = real_files().lock_directory(dir_);
  ASSERT_TRUE(first);
  const auto second = real_files().lock_directory(dir_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kBusy);
}

TEST_F(OsTest, TcpEcho) {
  auto listener = *listen_tcp({"127.0.0.1", 0});
  std::thread server([&] {
    auto caller = *listener->accept();
    Bytes got(5);
    ASSERT_TRUE(caller->read_exact(got));
    ASSERT_TRUE(caller->write_all(got));
  });
  auto stream = *connect_tcp({"127.0.0.1", listener->port()}, std::chrono::seconds(5));
  ASSERT_TRUE(stream->write_all(as_bytes("hello")));
  Bytes back(5);
  ASSERT_TRUE(stream->read_exact(back));
  EXPECT_EQ(as_text(back), "hello");
  server.join();
  EXPECT_EQ(*stream->read_some(back), 0u);
}

TEST_F(OsTest, PiecesArriveAsOneHoweverTheSocketCutsThem) {
  auto listener = *listen_tcp({"127.0.0.1", 0});
  Bytes first(3), second(5'000'000), third(700'001);
  for (std::size_t i = 0; i < second.size(); ++i) second[i] = static_cast<Byte>(i * 7 + i / 251);
  for (std::size_t i = 0; i < third.size(); ++i) third[i] = static_cast<Byte>(i * 11);
  Bytes whole(first);
  whole.insert(whole.end(), second.begin(), second.end());
  whole.insert(whole.end(), third.begin(), third.end());
  Bytes got(whole.size());
  std::thread server([&] {
    auto caller = *listener->accept();
    ASSERT_TRUE(caller->read_exact(got));
  });
  auto stream = *connect_tcp({"127.0.0.1", listener->port()}, std::chrono::seconds(5));
  const ByteView pieces[] = {first, {}, second, third, {}};
  ASSERT_TRUE(stream->write_pieces(pieces));
  ASSERT_TRUE(stream->write_pieces({}));
  server.join();
  EXPECT_TRUE(got == whole);
}

TEST_F(OsTest, PortInUseAndSilenceAreTold) {
  auto listener = *listen_tcp({"127.0.0.1", 0});
  const auto taken = listen_tcp({"127.0.0.1", listener->port()});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kBusy);
  auto stream = *connect_tcp({"127.0.0.1", listener->port()}, std::chrono::seconds(5));
  stream->set_timeout(std::chrono::milliseconds(20));
  Bytes back(1);
  EXPECT_EQ(stream->read_some(back).error().code, Code::kTimeout);
}

TEST_F(OsTest, CloseWakesAccept) {
  auto listener = *listen_unix(dir_ + "/api.sock");
  std::thread closer([&] { listener->close(); });
  EXPECT_EQ(listener->accept().error().code, Code::kCancelled);
  closer.join();
}

TEST(HostPorts, Parse) {
  EXPECT_EQ(HostPort::parse("127.0.0.1:80")->port, 80);
  for (const char* bad : {"", "host", ":1", "h:", "h:70000", "h:1x"}) {
    EXPECT_FALSE(HostPort::parse(bad)) << bad;
  }
}

TEST(Times, Utc) {
  EXPECT_EQ(utc_text({1000}), "1970-01-01T00:00:01Z");
}

}  // namespace
}  // namespace warifu::os
