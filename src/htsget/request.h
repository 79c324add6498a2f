// What a client asks for, as htsget 1.3.0 defines it: GET with a query, POST with a JSON body, and
// the query of the URLs that our own tickets name.
//
// Strict where the standard leaves room: a parameter that nobody knows, or that stands there twice,
// is refused, because who mistypes `referenceName` would else ask for everything. Values only, no
// input or output; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "htsget/error.h"

namespace warifu::htsget {

inline constexpr std::size_t kMaxPlaces = 100;
inline constexpr std::size_t kMaxTags = 200;
inline constexpr std::size_t kMaxName = 255;  // of a reference
inline constexpr std::size_t kMaxPostBytes = 64 * 1024;

enum class Datatype : std::uint8_t { kReads, kVariants };
[[nodiscard]] std::string_view datatype_name(Datatype datatype);  // "reads", as in paths

enum class Format : std::uint8_t { kBam, kCram, kVcf, kBcf };
[[nodiscard]] std::string_view format_name(Format format);  // "BAM"

// 0-based, half open.
struct Place {
  std::string reference;  // "*": reads without a position
  std::optional<std::uint32_t> start;
  std::optional<std::uint32_t> end;
  auto operator<=>(const Place&) const = default;
};

// Which part of the answer a URL of a ticket stands for.
enum class Part : std::uint8_t { kHeader, kBody };
[[nodiscard]] std::string_view part_name(Part part);  // "header"

struct Request {
  Datatype datatype = Datatype::kReads;
  Format format = Format::kBam;
  bool header_only = false;                        // class=header
  std::optional<std::vector<std::string>> fields;  // SAM names; none: all
  std::optional<std::vector<std::string>> tags;    // only these; none: all
  std::vector<std::string> notags;
  std::vector<Place> places;  // none: everything
  bool operator==(const Request&) const = default;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;  // decoded

// GET. Errors: those of the standard.
[[nodiscard]] Answer<Request> parse_query(Datatype datatype, const Parameters& query);
// POST; `query` must be empty.
[[nodiscard]] Answer<Request> parse_body(Datatype datatype, const Parameters& query,
                                         std::string_view body);

// The query of the URL for one part: "format=BAM&class=body&region=20%3A999-2000".
[[nodiscard]] std::string data_query(const Request& request, Part part);
struct DataRequest {
  Request request;
  Part part = Part::kBody;
  bool operator==(const DataRequest&) const = default;
};
// Back from it. Errors: kInvalidInput.
[[nodiscard]] Answer<DataRequest> parse_data_query(Datatype datatype, const Parameters& query);

}  // namespace warifu::htsget
