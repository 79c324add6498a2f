// Uploads in pieces.
#include "api/json.h"
#include "api/store_json.h"
#include "base/reason.h"

namespace warifu::api {
namespace {

using control::IndexFrom;
using control::UploadWants;

std::string_view name_of(UploadWants wants) {
  switch (wants) {
    case UploadWants::kIndex: return "index";
    case UploadWants::kEnds: return "ends";
    case UploadWants::kPieces: return "pieces";
    case UploadWants::kPrepare: return "prepare";
    case UploadWants::kFinish: return "finish";
  }
  return "";
}

json::value prepared_json(const control::UploadFacts& facts) {
  const control::PreparedUpload& prepared = *facts.prepared;
  return {{"index_bytes", prepared.index_bytes},   {"reads_per_slice", prepared.reads_per_slice},
          {"records", prepared.records},           {"original_bytes", facts.length},
          {"stored_bytes", prepared.stored_bytes}, {"original_sha256", prepared.original_sha256}};
}

json::value upload_json(const control::UploadState& state) {
  const control::UploadFacts& facts = state.facts;
  json::object shown = {{"upload", facts.id.text()},
                        {"person", facts.person},
                        {"label", facts.label},
                        {"policy", facts.policy},
                        {"mark", facts.mark},
                        {"received", state.received},
                        {"bytes", facts.length},
                        {"wants", name_of(state.wants)},
                        {"index_here", facts.index == IndexFrom::kHere},
                        {"is_cram", state.is_cram},
                        {"began", os::utc_text(facts.began)},
                        {"touched", os::utc_text(facts.touched)},
                        {"until", os::utc_text(state.until)}};
  if (state.wants == UploadWants::kEnds) {
    shown["head_bytes"] = state.head_bytes;
    shown["tail_bytes"] = state.tail_bytes;
  }
  if (!facts.about.empty()) shown["genome"] = facts.about;
  if (state.preparing) {
    shown["preparing"] = {{"step", state.preparing->step},
                          {"done", state.preparing->done},
                          {"total", state.preparing->total}};
  }
  if (facts.prepared) shown["prepared"] = prepared_json(facts);
  if (state.lacking) shown["lacking_reference"] = lacking_json(*state.lacking);
  if (state.trouble) {
    shown["trouble"] = {{"code", code_name(state.trouble->code)},
                        {"message", state.trouble->message},
                        {"reason", reason_name(state.trouble->reason)}};
  }
  return shown;
}

// All of a body of bytes, which may be longer than a JSON document.
Result<Bytes> read_all(http::RequestContext& context, std::size_t most) {
  Bytes all;
  Bytes piece(256 * 1024);
  for (;;) {
    TRY_ASSIGN(const std::size_t got, context.read_body_some(piece));
    if (got == 0) return all;
    if (got > most - all.size()) {
      return fail(Code::kInvalidArgument,
                  "the body is longer than " + std::to_string(most) + " bytes");
    }
    all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
}

Result<json::value> begin_upload(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  control::UploadWish wish;
  TRY_ASSIGN(wish.person, text_field(body, "person"));
  TRY_ASSIGN(wish.label, text_field(body, "label"));
  TRY_ASSIGN(wish.length, number_field(body, "bytes", limits::kMaxObjectBytes));
  wish.policy = text_field_or(body, "policy", "");
  if (const json::value* genome = body.if_contains("genome")) {
    if (genome->is_bool() && genome->get_bool()) wish.index = IndexFrom::kSender;
  }
  const std::string index = text_field_or(body, "index", "sent");
  if (index != "sent" && index != "here") {
    return fail(Code::kInvalidArgument, "index '" + index + "' must be sent or here");
  }
  if (index == "here") wish.index = IndexFrom::kHere;
  wish.mark = text_field_or(body, "mark", "");
  wish.assembly = text_field_or(body, "assembly", "");
  const std::string priority = text_field_or(body, "priority", "usual");
  const auto found = catalog::value_of_name<catalog::JobPriority>(priority);
  if (!found) {
    return fail(Code::kInvalidArgument, "priority '" + priority + "' must be low, usual or urgent");
  }
  wish.priority = *found;
  TRY_ASSIGN(const control::UploadState state, control.uploads.begin(wish));
  return upload_json(state);
}

Result<json::value> show_upload(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("upload")));
  TRY_ASSIGN(const control::UploadState state, control.uploads.state(id));
  return upload_json(state);
}

Result<json::value> list_uploads(http::RequestContext& context, ControlServices& control) {
  json::array shown;
  const std::string person(context.request().query.find("person").value_or(""));
  for (const auto& state : control.uploads.list(person)) shown.push_back(upload_json(state));
  return json::value{{"uploads", std::move(shown)}};
}

Result<json::value> append_piece(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("upload")));
  if (!context.request().query.find("from")) {
    return fail(Code::kInvalidArgument, "'from' is missing: where does the piece begin?");
  }
  TRY_ASSIGN(const std::uint64_t from, query_number(context, "from", 0));
  TRY_ASSIGN(const control::UploadState state,
             control.uploads.append(id, from,
                                    [&](MutableBytes out) { return context.read_body_some(out); }));
  return upload_json(state);
}

// What is wrong with what was sent is the sender's to mend.
Result<json::value> answer_of(const Result<control::UploadState>& state) {
  if (state) return upload_json(*state);
  const Code code = state.error().code;
  const bool sent = code == Code::kCorrupt || code == Code::kNotFound;
  return fail(sent ? Code::kInvalidArgument : code, state.error().message, state.error().reason);
}

Result<json::value> put_index(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("upload")));
  TRY_ASSIGN(Bytes index, read_all(context, control::kMostUploadedIndex));
  if (index.empty()) return fail(Code::kInvalidArgument, "the index is empty");
  TRY(control.uploads.state(id));
  return answer_of(control.uploads.put_index(id, std::move(index)));
}

Result<json::value> put_ends(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("upload")));
  TRY_ASSIGN(const Bytes ends, read_all(context, genome::kMaxHeaderText + genome::kEndsBytes));
  TRY(control.uploads.state(id));
  return answer_of(control.uploads.put_ends(id, ends));
}

Result<json::value> prepare_upload(http::RequestContext& context, ControlServices& control,
                                   const config::SiteConfig& config) {
  TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("upload")));
  TRY_ASSIGN(const json::object body, body_object(context));
  control::PrepareWish wish;
  if (body.contains("reads_per_slice")) {
    TRY_ASSIGN(const std::uint64_t reads,
               number_field(body, "reads_per_slice", control::kMostReadsPerSlice));
    wish.reads_per_slice = static_cast<std::uint32_t>(reads);
  }
  wish.assembly = text_field_or(body, "assembly", "");
  if (const std::string name = text_field_or(body, "reference", ""); !name.empty()) {
    const auto found = config.reference_files.find(name);
    if (found == config.reference_files.end()) {
      return fail(Code::kNotFound, "[genome] references of this site names no '" + name + "'");
    }
    wish.reference = found->second;
  }
  TRY_ASSIGN(const control::UploadState state, control.uploads.prepare(id, wish));
  return upload_json(state);
}

// The references that this site can decode CRAM files with.
json::value references_json(const config::SiteConfig& config) {
  json::array names;
  for (const auto& [assembly, file] : config.reference_files) {
    names.emplace_back(assembly);
  }
  return json::value{{"references", std::move(names)}};
}

Result<json::value> finish_upload(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("upload")));
  TRY_ASSIGN(const control::StoreTicket ticket, control.uploads.finish(id));
  return ticket_json(ticket);
}

Result<json::value> cancel_upload(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("upload")));
  TRY(control.uploads.cancel(id));
  return json::value{{"upload", id.text()}, {"cancelled", true}};
}

}  // namespace

void add_upload_routes(http::Router& router, Services services) {
  using enum http::Method;
  router.add(kPost, "/v1/uploads", control_handler(services, begin_upload));
  router.add(kGet, "/v1/uploads", control_handler(services, list_uploads));
  router.add(
      kGet, "/v1/uploads/references",
      control_handler(services,
                      [services](http::RequestContext&, ControlServices&) -> Result<json::value> {
                        return references_json(services.site.config);
                      }));
  router.add(kPost, "/v1/uploads/{upload}/prepare",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return prepare_upload(context, control, services.site.config);
                             }));
  router.add(kGet, "/v1/uploads/{upload}", control_handler(services, show_upload));
  router.add(kPost, "/v1/uploads/{upload}", control_handler(services, append_piece),
             {.stream_body = true});
  router.add(kPost, "/v1/uploads/{upload}/index", control_handler(services, put_index),
             {.stream_body = true});
  router.add(kPost, "/v1/uploads/{upload}/ends", control_handler(services, put_ends),
             {.stream_body = true});
  router.add(kPost, "/v1/uploads/{upload}/finish", control_handler(services, finish_upload));
  router.add(kPost, "/v1/uploads/{upload}/cancel", control_handler(services, cancel_upload));
}

}  // namespace warifu::api
