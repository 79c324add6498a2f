// `warifu request` and `warifu kiosk`: what is asked of persons, and where they answer.
#pragma once

#include "apps/command_options.h"

namespace warifu::apps {

// The terminal of persons: a page on loopback, and the card at it.
struct KioskOptions {
  CardOptions card;
  std::string listen = "127.0.0.1:8490";
  std::string name = "kiosk";  // in grants: where the person stood
  std::string idle = "90s";    // without an act; then the session ends
  std::string address_file;    // where the address of the page is written, mode 0600; empty: none
};
[[nodiscard]] Result<> kiosk(const Common& common, const KioskOptions& options);

// What is asked of persons before there is a consent.
struct RequestOptions {
  std::string object, person, purpose, grantee, grantee_id, destination, note;
  std::vector<std::string> data_use, regions;
  std::uint32_t decoys = 0;  // beside each region
  std::uint16_t uses = 1;
  std::string valid = "1h", open = "7d";
};
[[nodiscard]] Result<> request_ask(const Common& common, const RequestOptions& options);
[[nodiscard]] Result<> request_list(const Common& common, const std::string& person,
                                    const std::string& object);
[[nodiscard]] Result<> request_show(const Common& common, const std::string& request);
[[nodiscard]] Result<> request_cancel(const Common& common, const std::string& request);
[[nodiscard]] Result<> request_refuse(const Common& common, const std::string& request,
                                      const std::string& why);

}  // namespace warifu::apps
