// Uploads in pieces.
#include "api/json.h"

namespace warifu::api {
namespace {

using control::UploadId;

json::value upload_json(const control::UploadState& state) {
  return {{"upload", state.upload.text()}, {"received", state.received}, {"bytes", state.length}};
}

Result<json::value> begin_upload(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  control::UploadWish wish;
  TRY_ASSIGN(wish.person, text_field(body, "person"));
  TRY_ASSIGN(wish.label, text_field(body, "label"));
  TRY_ASSIGN(wish.length, number_field(body, "bytes", limits::kMaxObjectBytes));
  wish.policy = text_field_or(body, "policy", "");
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
  router.add(kPost, "/v1/uploads/{upload}/finish", control_handler(services, finish_upload));
  router.add(kPost, "/v1/uploads/{upload}/cancel", control_handler(services, cancel_upload));
}

}  // namespace warifu::api
