// Tickets and service-info as htsget 1.3.0 writes them. Values; any thread.
#pragma once

#include <string>

#include "htsget/judge.h"

namespace warifu::htsget {

inline constexpr std::string_view kContentType =
    "application/vnd.ga4gh.htsget.v1.3.0+json; charset=utf-8";

struct TicketWish {
  Request request;
  std::string base;      // "https://genomes.example.org:8490"
  std::string id;        // of the object
  std::string token;     // of the view: goes into the headers of every URL, and nowhere else
  std::string md5;       // of what the URLs give together, in hexadecimal; empty: unknown
  bool clipped = false;  // said in the ticket's own field "warifu"
};

// The text holds the token: whoever has it wipes it. A header's URL, and unless only that was asked
// for the body's, which ends with the end-of-file marker; both in that order are a whole file.
[[nodiscard]] std::string ticket_json(const TicketWish& wish);

struct ServiceWords {
  std::string site;
  std::string version;
  std::string url;
};
// GA4GH service-info 1.0 with the `htsget` part.
[[nodiscard]] std::string service_info_json(Datatype datatype, const ServiceWords& words);

// "https://host:port" out of what a request says its host is. Errors: kInvalidInput when that is no
// host.
[[nodiscard]] Answer<std::string> base_url(bool tls, std::string_view host);

}  // namespace warifu::htsget
