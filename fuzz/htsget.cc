// Requests of htsget clients: bodies, queries, and the queries of our own tickets, which must come
// back as what they were made of; and no base beyond a consent, whatever is asked for.
#include "fuzz/fuzz.h"
#include "htsget/judge.h"
#include "http/message.h"

namespace warifu::fuzz {
namespace {

using namespace htsget;

void look(const Request& request) {
  require(request.places.size() <= kMaxPlaces);
  if (!request.header_only) {
    const auto query = http::Query::parse(data_query(request, Part::kBody));
    require(query.has_value());
    const auto back = parse_data_query(request.datatype, query->all());
    // Variants' tags are not looked at and may hold commas.
    if (request.datatype == Datatype::kReads) require(back && back->request == request);
  }
  Consented consented{.references = {{"20", 1'000'000, ""}, {"chrM", 16'569, ""}},
                      .regions = {{"20", 1'000, 2'000}, {"chrM", 0, 16'569}}};
  for (const Mode mode : {Mode::kStrict, Mode::kClip}) {
    const auto verdict = judge(request, consented, mode);
    if (!verdict) continue;
    for (const auto& region : verdict->regions) {
      require(region.start < region.end);
      require(region.reference == "20" ? region.start >= 1'000 && region.end <= 2'000
                                       : region.reference == "chrM" && region.end <= 16'569);
    }
  }
}

}  // namespace

void run(ByteView input) {
  if (input.empty()) return;
  const Datatype datatype = input[0] % 2 == 0 ? Datatype::kReads : Datatype::kVariants;
  const ByteView bytes = input.subspan(1);
  if (input[0] % 3 == 0) {
    if (const auto request = parse_body(datatype, {}, as_text(bytes))) look(*request);
    return;
  }
  const auto query = http::Query::parse(as_text(bytes));
  if (!query) return;
  if (input[0] % 3 == 1) {
    if (const auto request = parse_query(datatype, query->all())) look(*request);
  } else if (const auto wanted = parse_data_query(datatype, query->all())) {
    look(wanted->request);
  }
}

}  // namespace warifu::fuzz
