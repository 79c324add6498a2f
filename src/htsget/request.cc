// Fields by name, each with its rule.
#include "htsget/request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <boost/json.hpp>

#include "base/percent.h"

namespace warifu::htsget {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 11> kFields = {
    "QNAME", "FLAG", "RNAME", "POS", "MAPQ", "CIGAR", "RNEXT", "PNEXT", "TLEN", "SEQ", "QUAL"};

std::unexpected<Failure> bad(std::string message) {
  return refuse(Kind::kInvalidInput, std::move(message));
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Answer<Format> parse_format(Datatype datatype, std::string_view text) {
  const bool reads = datatype == Datatype::kReads;
  if (text == "BAM" && reads) return Format::kBam;
  if (text == "CRAM" && reads) return Format::kCram;
  if (text == "VCF" && !reads) return Format::kVcf;
  if (text == "BCF" && !reads) return Format::kBcf;
  return refuse(Kind::kUnsupportedFormat,
                reads ? "reads are given as BAM or CRAM" : "variants are given as VCF or BCF");
}

Answer<std::uint32_t> parse_position(std::string_view text, const char* name) {
  std::uint32_t value = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!text.empty() && done.ec == std::errc() && done.ptr == text.data() + text.size()) {
    return value;
  }
  return bad(std::string("'") + name + "' must be a whole number from 0 to 4294967295");
}

Answer<std::string> parse_name(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (text.empty() || text.size() > kMaxName || !plain) {
    return bad("a reference name has 1 to 255 printable characters");
  }
  return std::string(text);
}

// Of a query: "A,B"; empty for "".
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (;;) {
    const std::size_t comma = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, comma));
    if (comma == text.size()) return parts;
    text.remove_prefix(comma + 1);
  }
}

// Of variants, which are not looked at: names of INFO and FORMAT.
bool are_printable(const std::vector<std::string>& names) {
  return std::ranges::all_of(names, [](const std::string& name) {
    return std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
  });
}

Answer<std::vector<std::string>> checked_fields(Datatype datatype, std::vector<std::string> names) {
  if (names.empty()) return bad("'fields' names no field");
  if (names.size() > kMaxTags) return bad("'fields' names too many fields");
  if (datatype == Datatype::kVariants) {  // not effective (service-info)
    if (are_printable(names)) return names;
    return bad("'fields' must name fields in printable ASCII");
  }
  for (const std::string& name : names) {
    if (std::ranges::find(kFields, name) == kFields.end()) {
      return bad(
          "'fields' may name QNAME, FLAG, RNAME, POS, MAPQ, CIGAR, RNEXT, PNEXT, TLEN, SEQ "
          "and QUAL");
    }
  }
  return names;
}

Answer<std::vector<std::string>> checked_tags(Datatype datatype, std::vector<std::string> tags,
                                              const char* what) {
  if (tags.size() > kMaxTags) return bad(std::string("'") + what + "' names too many tags");
  if (datatype == Datatype::kVariants) {
    if (are_printable(tags)) return tags;
    return bad(std::string("'") + what + "' must name tags in printable ASCII");
  }
  for (const std::string& tag : tags) {
    if (tag.size() != 2 || !is_letter(tag[0]) || !(is_letter(tag[1]) || is_digit(tag[1]))) {
      return bad(std::string("'") + what + "' must name tags of two characters, as NM");
    }
  }
  return tags;
}

// What concerns more than one field.
Answer<Request> checked(Request request, bool has_selection) {
  if (request.header_only && (has_selection || !request.places.empty())) {
    return bad("with class=header nothing but the format may be said");
  }
  for (const std::string& tag : request.notags) {
    if (request.tags && std::ranges::find(*request.tags, tag) != request.tags->end()) {
      return bad("a tag stands in 'tags' and in 'notags'");
    }
  }
  for (const Place& place : request.places) {
    if (place.reference == "*" && (place.start || place.end)) {
      return bad("reads without a position have no 'start' and no 'end'");
    }
  }
  return request;
}

Answer<bool> parse_class(std::string_view text) {
  if (text == "header") return true;
  return bad("'class' may only be 'header'");
}

// Each parameter once.
Answer<std::string> only_once(const Parameters& query) {
  std::set<std::string_view> seen;
  for (const auto& [name, value] : query) {
    if (!seen.insert(name).second) return bad("a parameter stands there more than once");
  }
  return std::string();
}

struct Selected {
  Request request;
  bool any = false;  // fields, tags or notags were said
};

// One of fields, tags, notags; false when it is none of them.
Answer<bool> take_selection(Selected& selected, std::string_view name,
                            std::vector<std::string> values) {
  Request& request = selected.request;
  if (name == "fields") {
    auto fields = checked_fields(request.datatype, std::move(values));
    if (!fields) return std::unexpected(fields.error());
    request.fields = std::move(*fields);
  } else if (name == "tags") {
    auto tags = checked_tags(request.datatype, std::move(values), "tags");
    if (!tags) return std::unexpected(tags.error());
    request.tags = std::move(*tags);
  } else if (name == "notags") {
    auto tags = checked_tags(request.datatype, std::move(values), "notags");
    if (!tags) return std::unexpected(tags.error());
    request.notags = std::move(*tags);
  } else {
    return false;
  }
  selected.any = true;
  return true;
}

Format usual_format(Datatype datatype) {
  return datatype == Datatype::kReads ? Format::kBam : Format::kVcf;
}

Answer<std::vector<std::string>> texts_of(const json::value& value, const char* name) {
  const auto wrong = [&] { return bad(std::string("'") + name + "' must be a list of texts"); };
  if (!value.is_array()) return wrong();
  std::vector<std::string> texts;
  for (const json::value& one : value.get_array()) {
    if (!one.is_string()) return wrong();
    texts.emplace_back(one.get_string());
  }
  return texts;
}

Answer<std::optional<std::uint32_t>> position_of(const json::object& region, const char* name) {
  const json::value* value = region.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= UINT32_MAX) {
    return static_cast<std::uint32_t>(value->get_int64());
  }
  return bad(std::string("'") + name + "' must be a whole number from 0 to 4294967295");
}

Answer<Place> place_of(const json::value& value) {
  if (!value.is_object()) return bad("each of 'regions' must be an object");
  const json::object& region = value.get_object();
  for (const auto& field : region) {
    if (field.key() != "referenceName" && field.key() != "start" && field.key() != "end") {
      return bad("a region has referenceName, start and end only");
    }
  }
  const json::value* reference = region.if_contains("referenceName");
  if (reference == nullptr || !reference->is_string()) {
    return bad("each region needs a text 'referenceName'");
  }
  Place place;
  auto name = parse_name(reference->get_string());
  if (!name) return std::unexpected(name.error());
  place.reference = std::move(*name);
  auto start = position_of(region, "start");
  if (!start) return std::unexpected(start.error());
  auto end = position_of(region, "end");
  if (!end) return std::unexpected(end.error());
  place.start = *start;
  place.end = *end;
  if (place.end && place.start.value_or(0) >= *place.end) {
    return refuse(Kind::kInvalidRange, "a region ends before it starts, or is empty");
  }
  return place;
}

Answer<std::vector<Place>> places_of(const json::value& value) {
  if (!value.is_array() || value.get_array().empty()) {
    return bad("'regions' must be a list of at least one region");
  }
  if (value.get_array().size() > kMaxPlaces) {
    return refuse(Kind::kPayloadTooLarge, "at most 100 regions at a time");
  }
  std::vector<Place> places;
  for (const json::value& one : value.get_array()) {
    auto place = place_of(one);
    if (!place) return std::unexpected(place.error());
    places.push_back(std::move(*place));
  }
  return places;
}

// One field of a body.
Answer<bool> take_field(Selected& selected, std::string_view name, const json::value& value) {
  Request& request = selected.request;
  if (name == "regions") {
    auto places = places_of(value);
    if (!places) return std::unexpected(places.error());
    request.places = std::move(*places);
    return true;
  }
  if (name == "format" || name == "class") {
    if (!value.is_string()) return bad("'" + std::string(name) + "' must be a text");
    if (name == "format") {
      const auto format = parse_format(request.datatype, value.get_string());
      if (!format) return std::unexpected(format.error());
      request.format = *format;
      return true;
    }
    const auto header = parse_class(value.get_string());
    if (!header) return std::unexpected(header.error());
    request.header_only = true;
    return true;
  }
  if (name != "fields" && name != "tags" && name != "notags") {
    return bad("the body has a field that is none of format, class, fields, tags, notags, regions");
  }
  auto texts = texts_of(value, std::string(name).c_str());
  if (!texts) return std::unexpected(texts.error());
  return take_selection(selected, name, std::move(*texts));
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

// "20", "20:999", "20:999-2000", "20:-2000": the name may hold colons, so the last one counts, and
// there always is one.
std::string region_text(const Place& place) {
  return place.reference + ":" + (place.start ? std::to_string(*place.start) : "") +
         (place.end ? "-" + std::to_string(*place.end) : "");
}

Answer<Place> parse_region(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("'region' is none");
  Place place;
  auto name = parse_name(text.substr(0, colon));
  if (!name) return std::unexpected(name.error());
  place.reference = std::move(*name);
  const std::string_view range = text.substr(colon + 1);
  const std::size_t hyphen = std::min(range.find('-'), range.size());
  if (hyphen > 0) {
    const auto start = parse_position(range.substr(0, hyphen), "start");
    if (!start) return std::unexpected(start.error());
    place.start = *start;
  }
  if (hyphen < range.size()) {
    const auto end = parse_position(range.substr(hyphen + 1), "end");
    if (!end) return std::unexpected(end.error());
    place.end = *end;
  }
  if (place.end && place.start.value_or(0) > *place.end) {
    return refuse(Kind::kInvalidRange, "a region ends before it starts");
  }
  return place;
}

}  // namespace

std::string_view datatype_name(Datatype datatype) {
  return datatype == Datatype::kReads ? "reads" : "variants";
}

std::string_view format_name(Format format) {
  switch (format) {
    case Format::kBam: return "BAM";
    case Format::kCram: return "CRAM";
    case Format::kVcf: return "VCF";
    case Format::kBcf: return "BCF";
  }
  return "BAM";
}

std::string_view part_name(Part part) {
  return part == Part::kHeader ? "header" : "body";
}

Answer<Request> parse_query(Datatype datatype, const Parameters& query) {
  if (const auto once = only_once(query); !once) return std::unexpected(once.error());
  Selected selected{.request = {.datatype = datatype, .format = usual_format(datatype)}};
  Request& request = selected.request;
  Place place;
  bool has_place = false;
  for (const auto& [name, value] : query) {
    if (name == "format") {
      const auto format = parse_format(datatype, value);
      if (!format) return std::unexpected(format.error());
      request.format = *format;
    } else if (name == "class") {
      const auto header = parse_class(value);
      if (!header) return std::unexpected(header.error());
      request.header_only = true;
    } else if (name == "referenceName") {
      auto reference = parse_name(value);
      if (!reference) return std::unexpected(reference.error());
      place.reference = std::move(*reference);
      has_place = true;
    } else if (name == "start" || name == "end") {
      const auto position = parse_position(value, name.c_str());
      if (!position) return std::unexpected(position.error());
      (name == "start" ? place.start : place.end) = *position;
    } else {
      const auto taken = take_selection(selected, name, split(value));
      if (!taken) return std::unexpected(taken.error());
      if (!*taken) return bad("there is a parameter that htsget 1.3 does not know");
    }
  }
  if (!has_place && (place.start || place.end)) {
    if (request.header_only) return bad("with class=header nothing but the format may be said");
    return bad("'start' and 'end' need a 'referenceName'");
  }
  if (has_place) request.places.push_back(place);
  auto request_checked = checked(std::move(request), selected.any);
  if (request_checked && place.end && place.start.value_or(0) > *place.end) {
    return refuse(Kind::kInvalidRange, "'start' is greater than 'end'");
  }
  return request_checked;
}

Answer<Request> parse_body(Datatype datatype, const Parameters& query, std::string_view body) {
  if (!query.empty()) return bad("POST takes everything in its body, nothing in the URL");
  if (body.size() > kMaxPostBytes) {
    return refuse(Kind::kPayloadTooLarge, "the body is larger than 64 KiB");
  }
  json::error_code error;
  const json::value value = json::parse(body, error);
  if (error || !value.is_object()) return bad("the body must be a JSON object");
  Selected selected{.request = {.datatype = datatype, .format = usual_format(datatype)}};
  std::set<std::string_view> seen;
  for (const auto& field : value.get_object()) {
    const auto taken = take_field(selected, field.key(), field.value());
    if (!taken) return std::unexpected(taken.error());
  }
  return checked(std::move(selected.request), selected.any);
}

std::string data_query(const Request& request, Part part) {
  std::string text = "format=" + std::string(format_name(request.format)) +
                     "&class=" + std::string(part_name(part));
  if (part == Part::kHeader) return text;
  for (const Place& place : request.places) text += "&region=" + percent_encode(region_text(place));
  if (request.fields) text += "&fields=" + percent_encode(joined(*request.fields));
  if (request.tags) text += "&tags=" + percent_encode(joined(*request.tags));
  if (!request.notags.empty()) text += "&notags=" + percent_encode(joined(request.notags));
  return text;
}

Answer<DataRequest> parse_data_query(Datatype datatype, const Parameters& query) {
  Selected selected{.request = {.datatype = datatype, .format = usual_format(datatype)}};
  std::optional<Part> part;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : query) {
    if (name != "region" && !seen.insert(name).second) {
      return bad("a parameter stands there more than once");
    }
    if (name == "format") {
      const auto format = parse_format(datatype, value);
      if (!format) return std::unexpected(format.error());
      selected.request.format = *format;
    } else if (name == "class") {
      if (value != "header" && value != "body") return bad("'class' must be header or body");
      part = value == "header" ? Part::kHeader : Part::kBody;
    } else if (name == "region") {
      auto place = parse_region(value);
      if (!place) return std::unexpected(place.error());
      selected.request.places.push_back(std::move(*place));
      if (selected.request.places.size() > kMaxPlaces) {
        return refuse(Kind::kPayloadTooLarge, "at most 100 regions at a time");
      }
    } else {
      const auto taken = take_selection(selected, name, split(value));
      if (!taken) return std::unexpected(taken.error());
      if (!*taken) return bad("this is not the URL of a ticket");
    }
  }
  if (!part) return bad("this is not the URL of a ticket");
  selected.request.header_only = *part == Part::kHeader;
  auto request = checked(std::move(selected.request), selected.any);
  if (!request) return std::unexpected(request.error());
  return DataRequest{std::move(*request), *part};
}

}  // namespace warifu::htsget
