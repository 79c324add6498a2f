// Uploads in pieces.
#include "api/json.h"

namespace warifu::api {
namespace {

using control::UploadId;

json::value upload_json(const control::UploadState& state) {
  json::object shown = {
      {"upload", state.upload.text()}, {"received", state.received}, {"bytes", state.length}};
  shown["wants"] = state.wants == control::UploadWants::kIndex  ? "index"
                   : state.wants == control::UploadWants::kEnds ? "ends"
                                                                : "pieces";
  if (state.wants == control::UploadWants::kEnds) {
    shown["head_bytes"] = state.head_bytes;
    shown["tail_bytes"] = state.tail_bytes;
  }
  if (!state.about.empty()) shown["genome"] = state.about;
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
    wish.genome = genome->is_bool() && genome->get_bool();
  }
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
  TRY_ASSIGN(const UploadId id, UploadId::parse(context.parameter("upload")));
  TRY_ASSIGN(const control::UploadState state, control.uploads.state(id));
  return upload_json(state);
}

Result<json::value> append_piece(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const UploadId id, UploadId::parse(context.parameter("upload")));
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
  return fail(sent ? Code::kInvalidArgument : code, state.error().message);
}

Result<json::value> put_index(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const UploadId id, UploadId::parse(context.parameter("upload")));
  TRY_ASSIGN(Bytes index, read_all(context, control::kMostUploadedIndex));
  if (index.empty()) return fail(Code::kInvalidArgument, "the index is empty");
  TRY(control.uploads.state(id));
  return answer_of(control.uploads.put_index(id, std::move(index)));
}

Result<json::value> put_ends(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const UploadId id, UploadId::parse(context.parameter("upload")));
  TRY_ASSIGN(const Bytes ends, read_all(context, genome::kMaxHeaderText + genome::kEndsBytes));
  TRY(control.uploads.state(id));
  return answer_of(control.uploads.put_ends(id, ends));
}

Result<json::value> finish_upload(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const UploadId id, UploadId::parse(context.parameter("upload")));
  TRY_ASSIGN(const control::StoreTicket ticket, control.uploads.finish(id));
  return json::value{{"object", ticket.object.text()},
                     {"job", ticket.job.text()},
                     {"warnings", json::array(ticket.warnings.begin(), ticket.warnings.end())}};
}

Result<json::value> cancel_upload(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const UploadId id, UploadId::parse(context.parameter("upload")));
  TRY(control.uploads.cancel(id));
  return json::value{{"upload", id.text()}, {"cancelled", true}};
}

}  // namespace

void add_upload_routes(http::Router& router, Services services) {
  using enum http::Method;
  router.add(kPost, "/v1/uploads", control_handler(services, begin_upload));
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
