// Feeds over real sockets: many clients and no thread of theirs, slow ones cut off, gone ones
// noticed.
#include "http/feed.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>

#include "http/http_test_support.h"
#include "http/server.h"

namespace warifu::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FeedTest : public testing::Test {
 protected:
  FeedTest() {
    auto listener = *os::listen_tcp({"127.0.0.1", 0});
    port_ = listener->port();
    Router router;
    router.add(Method::kGet, "/events", [this](RequestContext& context) {
      auto feed = std::make_shared<Feed>(kMost);
      const auto begun = context.begin_feed(feed, "text/event-stream");
      if (!begun) return context.refuse(503, begun.error().message);
      const std::lock_guard lock(mutex_);
      feeds_.push_back(std::move(feed));
    });
    router.add(Method::kGet, "/hello",
               [](RequestContext& context) { context.respond({.body = Body::of("hello")}); });
    server_ = std::make_unique<Server>(std::move(listener), nullptr, std::move(router),
                                       ServerOptions{.workers = 1, .max_feeds = 3});
    server_->start();
  }

  std::unique_ptr<os::ByteStream> connect(const std::string& path) {
    auto stream = *os::connect_tcp({"127.0.0.1", port_}, seconds(5));
    stream->set_timeout(seconds(5));
    EXPECT_TRUE(stream->write_all(as_bytes("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")));
    return stream;
  }
  // Reads until the text has come.
  static bool read_until(os::ByteStream& stream, std::string_view text) {
    std::string all;
    Bytes piece(64 * 1024);
    while (all.find(text) == std::string::npos) {
      const auto got = stream.read_some(piece);
      if (!got || *got == 0) return false;
      all += as_text(ByteView(piece).first(*got));
    }
    return true;
  }
  std::shared_ptr<Feed> feed(std::size_t number) {
    for (int i = 0; i < 500; ++i) {
      {
        const std::lock_guard lock(mutex_);
        if (feeds_.size() > number) return feeds_[number];
      }
      ::usleep(10'000);
    }
    return nullptr;
  }

  static constexpr std::size_t kMost = 512 * 1024;
  std::mutex mutex_;
  std::deque<std::shared_ptr<Feed>> feeds_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Server> server_;
};

TEST_F(FeedTest, ThreeFeedsHoldNoWorkerAndAFourthIsRefused) {
  std::vector<std::unique_ptr<os::ByteStream>> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(connect("/events"));
    ASSERT_TRUE(read_until(*clients.back(), "text/event-stream"));
    ASSERT_NE(feed(i), nullptr);
  }
  EXPECT_TRUE(read_until(*connect("/hello"), "hello")) << "the one worker is free";
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(feed(i)->push("data: " + std::to_string(i) + "\n\n"));
    EXPECT_TRUE(read_until(*clients[i], "9\r\ndata: " + std::to_string(i) + "\n\n\r\n"));
  }
  EXPECT_TRUE(read_until(*connect("/events"), "503"));
  feed(0)->close();
  EXPECT_TRUE(read_until(*clients[0], "0\r\n\r\n")) << "an orderly end";
}

TEST_F(FeedTest, AClientThatTakesNothingIsCutOffAndHoldsNobodyUp) {
  const auto slow = connect("/events");
  ASSERT_TRUE(read_until(*slow, "text/event-stream"));
  const auto quick = connect("/events");
  ASSERT_TRUE(read_until(*quick, "text/event-stream"));
  ASSERT_NE(feed(1), nullptr);
  const std::string event(32 * 1024, 'x');
  bool cut = false;
  std::size_t pushed = 0;
  for (; pushed < 2000 && !cut; ++pushed) cut = !feed(0)->push(event);
  EXPECT_TRUE(cut) << "its buffer is bounded";
  EXPECT_TRUE(feed(1)->push("data: still here\n\n"));
  EXPECT_TRUE(read_until(*quick, "still here"));
  EXPECT_FALSE(feed(0)->push("more"));
}

TEST_F(FeedTest, AClientThatLeavesIsNoticedWithoutAWord) {
  auto client = connect("/events");
  ASSERT_TRUE(read_until(*client, "text/event-stream"));
  const auto held = feed(0);
  ASSERT_NE(held, nullptr);
  client.reset();
  for (int i = 0; i < 500 && !held->closed(); ++i) ::usleep(10'000);
  EXPECT_TRUE(held->closed());
  EXPECT_FALSE(held->push("nobody hears"));
}

TEST_F(FeedTest, TheServersEndIsTheFeedsEnd) {
  const auto client = connect("/events");
  ASSERT_TRUE(read_until(*client, "text/event-stream"));
  const auto held = feed(0);
  server_->stop();
  EXPECT_TRUE(held->closed());
  server_.reset();
  EXPECT_FALSE(held->push("late"));  // its producer may be late
}

}  // namespace
}  // namespace warifu::http
