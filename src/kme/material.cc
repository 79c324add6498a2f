// Writing of the description.
#include "kme/material.h"

#include <boost/json.hpp>

namespace warifu::kme {

std::string to_json(const Material& material) {
  namespace json = boost::json;
  json::array origins;
  for (const auto origin : material.origins) origins.emplace_back(keypool::origin_name(origin));
  json::object object;
  object["id"] = material.id;
  object["kind"] = material.kind == Material::Kind::kKey ? "key" : "random";
  object["origins"] = std::move(origins);
  if (!material.link.empty()) object["link"] = material.link;
  if (material.direction != Material::Direction::kNone) {
    object["direction"] = material.direction == Material::Direction::kSend ? "send" : "receive";
  }
  object["bytes"] = material.bytes;
  object["made"] = os::utc_text(material.made);
  object["given"] = os::utc_text(material.given);
  std::string text = json::serialize(object);
  WARIFU_CHECK(text.size() <= kMaxMaterialJson);
  return text;
}

}  // namespace warifu::kme
