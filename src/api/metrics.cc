// One block per metric, as the format wants it.
#include "api/metrics.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace warifu::api {
namespace {

// Figures of the site as a whole.
class Plain {
 public:
  explicit Plain(const std::string& site) : site_(site) {}

  void head(const char* name, const char* type, const char* help) {
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }
  template <typename Value>
  void sample(const char* name, const std::string& labels, Value value) {
    fmt::format_to(std::back_inserter(text_), "{}{{site=\"{}\",{}}} {}\n", name, site_, labels,
                   value);
  }
  template <typename Value>
  void one(const char* name, const char* type, const char* help, Value value) {
    head(name, type, help);
    fmt::format_to(std::back_inserter(text_), "{}{{site=\"{}\"}} {}\n", name, site_, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string site_;
  std::string text_;
};

// And of its links.
class Page : public Plain {
 public:
  Page(const std::string& site, const std::vector<kme::LinkReport>& links)
      : Plain(site), links_(links) {}

  template <typename Value>
  void per_direction(const char* name, const char* help, Value value) {
    head(name, "gauge", help);
    for (const kme::LinkReport& link : links_) {
      sample(name, of(link, "send"), static_cast<double>(value(link.send)));
      sample(name, of(link, "receive"), static_cast<double>(value(link.receive)));
    }
  }
  static std::string of(const kme::LinkReport& link, const char* direction) {
    return fmt::format("peer=\"{}\",direction=\"{}\"", link.peer, direction);
  }
  static std::string quoted(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '\\' || c == '"') out += '\\';
      out += c == '\n' ? ' ' : c;
    }
    return out;
  }

 private:
  const std::vector<kme::LinkReport>& links_;
};

void add_levels(Page& page) {
  using Report = kme::DirectionReport;
  page.per_direction("warifu_key_available_bytes", "Synced key that is not used.",
                     [](const Report& r) { return r.available_bytes; });
  page.per_direction("warifu_key_residual_bytes", "Of the available key, free for new jobs.",
                     [](const Report& r) { return r.residual_bytes; });
  page.per_direction("warifu_key_leased_bytes", "Of the available key, promised to jobs.",
                     [](const Report& r) { return r.leased_bytes; });
  page.per_direction("warifu_key_reserved_bytes", "Key held by connections, below the mark.",
                     [](const Report& r) { return r.reserved_bytes; });
  page.per_direction("warifu_key_floor_bytes", "Kept for control messages.",
                     [](const Report& r) { return r.floor_bytes; });
  page.per_direction("warifu_key_emergency_bytes", "Kept for restores.",
                     [](const Report& r) { return r.emergency_bytes; });
  page.per_direction("warifu_key_unsynced_bytes", "Taken in, not confirmed by both ends.",
                     [](const Report& r) { return r.unsynced_bytes; });
  page.per_direction("warifu_key_quarantined_bytes", "Never to be used.",
                     [](const Report& r) { return r.quarantined_bytes; });
  page.per_direction("warifu_key_inflow_bits_per_second", "Moving average.",
                     [](const Report& r) { return r.inflow_bits_per_second; });
  page.per_direction("warifu_key_outflow_bits_per_second", "Moving average.",
                     [](const Report& r) { return r.outflow_bits_per_second; });
  page.per_direction("warifu_key_oldest_seconds", "Age of the oldest key that is not used.",
                     [](const Report& r) { return r.oldest_seconds.value_or(0); });
}

void add_states(Page& page, const std::vector<kme::LinkReport>& links) {
  using kme::KeyState;
  page.head("warifu_key_state", "gauge", "1 for the state that holds.");
  for (const kme::LinkReport& link : links) {
    for (const auto& [direction, report] :
         {std::pair{"send", &link.send}, std::pair{"receive", &link.receive}}) {
      for (const KeyState state :
           {KeyState::kReady, KeyState::kWarning, KeyState::kCharging, KeyState::kEmpty}) {
        page.sample(
            "warifu_key_state",
            fmt::format("{},state=\"{}\"", Page::of(link, direction), key_state_name(state)),
            report->state == state ? 1 : 0);
      }
    }
  }
}

void add_devices(Page& page, const std::vector<kme::LinkReport>& links) {
  const auto each = [&](const char* name, const char* help, auto value) {
    page.head(name, "gauge", help);
    for (const kme::LinkReport& link : links) {
      for (const kme::DeviceStatus& device : link.devices) {
        const std::optional<double> number = value(device);
        if (!number) continue;
        page.sample(name,
                    fmt::format("peer=\"{}\",device=\"{}\"", link.peer, Page::quoted(device.name)),
                    *number);
      }
    }
  };
  using Device = kme::DeviceStatus;
  using Number = std::optional<double>;
  each("warifu_device_up", "1 while the device delivers.",
       [](const Device& d) -> Number { return d.state == "delivering" ? 1 : 0; });
  each("warifu_device_alarms", "Alarms that hold now.",
       [](const Device& d) -> Number { return static_cast<double>(d.alarms.size()); });
  each("warifu_device_qber", "Error rate as told by the device, a fraction.",
       [](const Device& d) -> Number { return d.qber; });
  each("warifu_device_rate_bits_per_second", "Rate as told by the device.",
       [](const Device& d) -> Number { return d.rate_bits_per_second; });
}

}  // namespace

std::string metrics_text(const std::string& site, const std::vector<kme::LinkReport>& links) {
  Page page(site, links);
  add_levels(page);
  add_states(page, links);
  page.head("warifu_key_lost_bytes_total", "counter",
            "Key that devices could have given while the pool was full, both directions.");
  for (const kme::LinkReport& link : links) {
    page.sample("warifu_key_lost_bytes_total",
                fmt::format("peer=\"{}\",source=\"{}\"", link.peer,
                            link.saturation.estimated ? "estimate" : "device"),
                static_cast<double>(link.saturation.lost_bytes));
  }
  add_devices(page, links);
  return page.take();
}

std::string scrub_metrics_text(const std::string& site, const upkeep::ScrubStatus& status) {
  Plain page(site);
  page.one("warifu_shares_damaged", "gauge", "Shares of this site that are known to be damaged.",
           static_cast<double>(status.state.damage.size()));
  page.one("warifu_scrub_running", "gauge", "1 while shares are being read over.",
           status.running ? 1 : 0);
  page.one("warifu_scrub_read_bytes", "gauge",
           "Read by the pass that is under way, or the last one.",
           static_cast<double>(status.state.read_bytes));
  page.one("warifu_scrub_total_bytes", "gauge", "Of all shares of this site.",
           static_cast<double>(status.total_bytes));
  page.one("warifu_scrub_passes_total", "counter", "Passes that reached the end.",
           static_cast<double>(status.state.passes));
  page.one("warifu_scrub_finished_seconds", "gauge",
           "Unix time of the end of the last pass; 0: never.",
           static_cast<double>(status.state.finished.value) / 1000);
  return page.take();
}

std::string view_metrics_text(const std::string& site, const viewing::ViewFigures& figures) {
  Plain page(site);
  page.one("warifu_views_open", "gauge", "Views that are open.", figures.open);
  page.one("warifu_views_opened_total", "counter", "Views that were opened.", figures.opened);
  page.one("warifu_views_not_opened_total", "counter", "Openings that were refused or failed.",
           figures.not_opened);
  page.one("warifu_views_memory_bytes", "gauge", "Locked memory that views may take together.",
           figures.memory_bytes);
  page.one("warifu_views_memory_used_bytes", "gauge",
           "Taken by views, answers and openings under way.", figures.memory_used);
  page.head("warifu_htsget_requests_total", "counter", "Answers, by what was asked and status.");
  for (std::size_t what = 0; what < viewing::kAskedNames.size(); ++what) {
    for (std::size_t digit = 2; digit < viewing::kStatusClasses; ++digit) {
      page.sample("warifu_htsget_requests_total",
                  fmt::format("route=\"{}\",status=\"{}xx\"", viewing::kAskedNames[what], digit),
                  figures.traffic.answers[what][digit]);
    }
  }
  page.head("warifu_htsget_refusals_total", "counter", "Refused requests, by htsget's error.");
  for (std::size_t kind = 0; kind < htsget::kKinds; ++kind) {
    page.sample("warifu_htsget_refusals_total",
                fmt::format("error=\"{}\"", htsget::kind_name(static_cast<htsget::Kind>(kind))),
                figures.traffic.refusals[kind]);
  }
  page.one("warifu_htsget_served_bytes_total", "counter", "Bytes of records and headers sent.",
           figures.traffic.bytes);
  return page.take();
}

}  // namespace warifu::api
