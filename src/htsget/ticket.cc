// JSON.
#include "htsget/ticket.h"

#include <algorithm>

#include <boost/json.hpp>

namespace warifu::htsget {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxHost = 255 + 6;

json::object url_of(const TicketWish& wish, Part part) {
  return {{"url", wish.base + "/htsget/data/" + std::string(datatype_name(wish.request.datatype)) +
                      "/" + wish.id + "?" + data_query(wish.request, part)},
          {"headers", {{"Authorization", "Bearer " + wish.token}}},
          {"class", part_name(part)}};
}

}  // namespace

std::string ticket_json(const TicketWish& wish) {
  json::array urls;
  urls.push_back(url_of(wish, Part::kHeader));
  if (!wish.request.header_only) urls.push_back(url_of(wish, Part::kBody));
  json::object ticket = {{"format", format_name(wish.request.format)}, {"urls", std::move(urls)}};
  if (!wish.md5.empty()) ticket["md5"] = wish.md5;
  json::object answer = {{"htsget", std::move(ticket)}};
  if (wish.clipped) answer["warifu"] = {{"clipped", true}};
  return json::serialize(answer);
}

std::string service_info_json(Datatype datatype, const ServiceWords& words) {
  const bool reads = datatype == Datatype::kReads;
  const json::array formats = reads ? json::array{"BAM", "CRAM"} : json::array{"VCF", "BCF"};
  const json::object answer = {
      {"id", "warifu." + words.site + ".htsget." + std::string(datatype_name(datatype))},
      {"name", "Warifu, site " + words.site},
      {"type", {{"group", "org.ga4gh"}, {"artifact", "htsget"}, {"version", "1.3.0"}}},
      {"description",
       "Records of the regions that a person has consented to, for as long as a view is open. A "
       "strict view refuses what goes beyond the consent; a clipped one leaves it out and says so "
       "(\"warifu\": {\"clipped\": true} in the ticket, Warifu-Clipped in the answer). VCF is "
       "compressed by bgzip."},
      {"organization", {{"name", words.site}, {"url", words.url}}},
      {"version", words.version},
      {"htsget",
       {{"datatype", datatype_name(datatype)},
        {"formats", formats},
        {"fieldsParameterEffective", reads},
        {"tagsParametersEffective", reads}}}};
  return json::serialize(answer);
}

Answer<std::string> base_url(bool tls, std::string_view host) {
  const bool plain = std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  });
  if (host.empty() || host.size() > kMaxHost || !plain) {
    return refuse(Kind::kInvalidInput, "the request does not say which host it is for");
  }
  return (tls ? "https://" : "http://") + std::string(host);
}

}  // namespace warifu::htsget
