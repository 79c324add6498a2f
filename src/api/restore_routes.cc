// A restore: a job, then its plaintext as a stream of verified bytes.
#include "api/json.h"

namespace warifu::api {
namespace {

Result<json::value> begin(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  control::RestoreWish wish;
  TRY_ASSIGN(wish.object, id_field<ObjectId>(body, "object"));
  TRY_ASSIGN(wish.grant, id_field<GrantId>(body, "grant"));
  wish.using_letters = text_field_or(body, "using", "");
  wish.gather = text_field_or(body, "gather", "");
  wish.purpose = text_field_or(body, "purpose", "");
  TRY_ASSIGN(const std::string grantee, text_field(body, "grantee"));
  TRY_ASSIGN(wish.grantee, consent::parse_grantee(grantee, text_field_or(body, "grantee_id", "")));
  TRY_ASSIGN(const auto stated, texts_field(body, "use"));
  TRY_ASSIGN(wish.stated, consent::parse_statements(stated));
  TRY_ASSIGN(const auto regions, texts_field(body, "regions"));
  TRY_ASSIGN(wish.scope, consent::parse_scope(regions));
  wish.format = text_field_or(body, "format", "");
  TRY_ASSIGN(const JobId job, control.restore.begin(wish));
  TRY_ASSIGN(const std::uint64_t bytes, control.restore.length(job));
  return json::value{{"job", job.text()}, {"bytes", bytes}};
}

void content(http::RequestContext& context, Services services) {
  if (services.control == nullptr) {
    return answer_error(context, {Code::kNotFound, "this site has no share control"});
  }
  const auto job = JobId::parse(context.parameter("job"));
  if (!job) return answer_error(context, job.error());
  const auto from = query_number(context, "from", 0);
  if (!from) return answer_error(context, from.error());
  // The head of the answer leaves with the first verified bytes, so that an early failure is an
  // ordinary error answer; a later one cuts the stream, and the job says why.
  bool begun = false;
  const auto sink = [&](ByteView plain) -> Result<> {
    if (context.stopping()) return fail(Code::kCancelled, "the site is stopping");
    if (!begun) {
      // In chunks, so that the end reaches the reader only after the job is done.
      TRY(context.begin_stream(200, "application/octet-stream"));
      begun = true;
    }
    return context.write(plain);
  };
  const Result<> done = services.control->restore.stream(*job, *from, sink);
  if (done && begun) {
    (void)context.finish();  // the reader counts the bytes
  } else if (!begun) {
    answer_error(context, done ? Error{Code::kCorrupt, "nothing was restored"} : done.error());
  }
}

}  // namespace

void add_restore_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/restores", control_handler(services, begin));
  router.add(Method::kGet, "/v1/restores/{job}/content",
             [services](http::RequestContext& context) { content(context, services); },
             {.secret_body = true});
}

}  // namespace warifu::api
