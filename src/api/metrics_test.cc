// The Prometheus page: every line has the form that scrapers read, each metric stands in one block,
// and the figures are those of the report.
#include "api/metrics.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

namespace warifu::api {
namespace {

std::vector<kme::LinkReport> example() {
  kme::LinkReport link{.peer = "lsa", .link_class = "qkd"};
  link.send.available_bytes = 123'456'789'012;
  link.send.state = kme::KeyState::kWarning;
  link.receive.oldest_seconds = 12.5;
  link.saturation = {.lost_bytes = 77, .estimated = true};
  link.devices.push_back({.name = "https://[::1]:1 \"left\"",
                          .state = "delivering",
                          .qber = 0.025,
                          .alarms = {{Code::kOutOfKey, "slow"}}});
  link.devices.push_back({.name = "other", .state = "unreachable"});
  return {link, kme::LinkReport{.peer = "tuh", .link_class = "preshared"}};
}

TEST(Metrics, EveryLineIsASampleOrToldAbout) {
  const std::string text = metrics_text("tommo", example()) + scrub_metrics_text("tommo", {}) +
                           view_metrics_text("tommo", {});
  const std::regex sample(
      R"re(([a-z_]+)\{([a-z]+="([^"\\]|\\.)*",)*[a-z]+="([^"\\]|\\.)*"\} [0-9.e+-]+)re");
  const std::regex comment(R"(# (HELP|TYPE) ([a-z_]+) .+)");
  std::istringstream lines(text);
  std::string current;
  std::set<std::string> told;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      if (match[1] == "HELP") {
        current = match[2];
        EXPECT_TRUE(told.insert(current).second) << current << " stands in two blocks";
      }
      continue;
    }
    ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
    EXPECT_EQ(match[1], current) << line;
  }
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST(Metrics, TheFiguresAreThoseOfTheReport) {
  const std::string text = metrics_text("tommo", example());
  for (const char* line :
       {"warifu_key_available_bytes{site=\"tommo\",peer=\"lsa\",direction=\"send\"} 123456789012\n",
        "warifu_key_state{site=\"tommo\",peer=\"lsa\",direction=\"send\",state=\"warning\"} 1\n",
        "warifu_key_state{site=\"tommo\",peer=\"lsa\",direction=\"send\",state=\"ready\"} 0\n",
        "warifu_key_oldest_seconds{site=\"tommo\",peer=\"lsa\",direction=\"receive\"} 12.5\n",
        "warifu_key_lost_bytes_total{site=\"tommo\",peer=\"lsa\",source=\"estimate\"} 77\n",
        "device=\"https://[::1]:1 \\\"left\\\"\"} 0.025\n", "device=\"other\"} 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
  EXPECT_EQ(text.find("warifu_device_qber{site=\"tommo\",peer=\"lsa\",device=\"other\""),
            std::string::npos);
}

TEST(Metrics, ScrubbingAndDamage) {
  upkeep::ScrubStatus status{.total_bytes = 900, .running = true};
  status.state.passes = 4;
  status.state.damage[ShareId{}] = {"rot", {1}, false};
  const std::string text = scrub_metrics_text("lsa", status);
  for (const char* line :
       {"\nwarifu_shares_damaged{site=\"lsa\"} 1\n", "\nwarifu_scrub_running{site=\"lsa\"} 1\n",
        "\nwarifu_scrub_total_bytes{site=\"lsa\"} 900\n",
        "\nwarifu_scrub_passes_total{site=\"lsa\"} 4\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
}

TEST(Metrics, ViewsAndTheirTraffic) {
  viewing::Traffic traffic;
  traffic.answered(viewing::Asked::kTicket, 200);
  traffic.answered(viewing::Asked::kData, 206);
  traffic.answered(viewing::Asked::kData, 200);
  traffic.answered(viewing::Asked::kTicket, 403);
  traffic.refused(htsget::Kind::kPermissionDenied);
  traffic.served(5'000'000'000);
  const std::string text = view_metrics_text(
      "tommo", {.open = 2, .opened = 7, .not_opened = 1, .traffic = traffic.counts()});
  for (const char* line :
       {"warifu_views_open{site=\"tommo\"} 2\n", "warifu_views_opened_total{site=\"tommo\"} 7\n",
        "warifu_views_not_opened_total{site=\"tommo\"} 1\n",
        "warifu_htsget_requests_total{site=\"tommo\",route=\"data\",status=\"2xx\"} 2\n",
        "warifu_htsget_requests_total{site=\"tommo\",route=\"ticket\",status=\"2xx\"} 1\n",
        "warifu_htsget_requests_total{site=\"tommo\",route=\"ticket\",status=\"4xx\"} 1\n",
        "warifu_htsget_refusals_total{site=\"tommo\",error=\"PermissionDenied\"} 1\n",
        "warifu_htsget_refusals_total{site=\"tommo\",error=\"InternalError\"} 0\n",
        "warifu_htsget_served_bytes_total{site=\"tommo\"} 5000000000\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
}

}  // namespace
}  // namespace warifu::api
