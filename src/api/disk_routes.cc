// Disk sets of preshared key: begin or go on, look, give up.
#include "api/disk_json.h"
#include "api/json.h"

namespace warifu::api {
namespace {

Result<kme::DiskIntake*> intake_of(Services services, const std::string& name) {
  TRY_ASSIGN(const SiteName peer, SiteName::parse(name));
  kme::DiskIntake* intake = services.disks->to(peer);
  if (intake == nullptr) return fail(Code::kNotFound, "there is no preshared link to " + name);
  return intake;
}

json::value link_json(const SiteName& peer, const kme::DiskIntake& intake) {
  return {{"peer", peer.text()}, {"disk", disk_json(intake.status())}};
}

Result<json::value> begin(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  kme::DiskOrder order;
  TRY_ASSIGN(order.path, text_field(body, "path"));
  if (!order.path.starts_with('/')) {
    return fail(Code::kInvalidArgument, "'path' must begin with /");
  }
  const json::value* wipe = body.if_contains("wipe");
  order.wipe = wipe != nullptr && wipe->is_bool() && wipe->get_bool();
  if (body.contains("pieces")) {
    TRY_ASSIGN(const std::uint64_t pieces, number_field(body, "pieces", kme::kMaxDiskPieces));
    if (pieces == 0) return fail(Code::kInvalidArgument, "'pieces' must be larger than 0");
    order.pieces = static_cast<std::uint32_t>(pieces);
  }
  TRY_ASSIGN(const SiteName peer, services.disks->begin(order));
  return link_json(peer, *services.disks->to(peer));
}

Result<json::value> abandon(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string peer, text_field(body, "peer"));
  TRY_ASSIGN(kme::DiskIntake * intake, intake_of(services, peer));
  TRY(intake->abandon());
  return link_json(*SiteName::parse(peer), *intake);
}

Result<json::value> look(Services services, http::RequestContext& context) {
  const auto peer = context.request().query.find("peer");
  if (!peer) return fail(Code::kInvalidArgument, "'peer' is missing");
  TRY_ASSIGN(const kme::DiskIntake* intake, intake_of(services, std::string(*peer)));
  return link_json(*SiteName::parse(*peer), *intake);
}

}  // namespace

json::value disk_json(const std::optional<kme::DiskStatus>& status) {
  if (!status) return nullptr;
  return {
      {"set", status->set.text()},
      {"path", status->path},
      {"wipe", status->wipe},
      {"done", status->done},
      {"pieces", status->pieces},
      {"until", status->until},
      {"held", status->held},
      {"agreed", status->agreed},
      {"wiped", status->wiped},
      {"bytes", status->bytes},
      {"until_bytes", status->until_bytes},
      {"held_bytes", status->held_bytes},
      {"agreed_bytes", status->agreed_bytes},
      {"checked_bytes", status->checked_bytes},
      {"state", status->state},
      {"problem", status->problem ? json::value(status->problem->message) : json::value(nullptr)},
      {"problem_code",
       status->problem ? json::value(code_name(status->problem->code)) : json::value(nullptr)}};
}

void add_disk_routes(http::Router& router, Services services) {
  using http::Method;
  const auto on = [&](Method method, const char* path, auto work) {
    router.add(method, path, json_handler([services, work](http::RequestContext& context) {
                 return work(services, context);
               }));
  };
  on(Method::kPost, "/v1/links/disk", begin);
  on(Method::kGet, "/v1/links/disk", look);
  on(Method::kPost, "/v1/links/disk/abandon", abandon);
}

}  // namespace warifu::api
