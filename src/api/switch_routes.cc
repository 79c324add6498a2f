// What the operator has switched: read, set, and told beside each link.
#include <algorithm>

#include "api/switch_json.h"
#include "base/log.h"

namespace warifu::api {
namespace {

using kme::SwitchKind;

bool is_of_link(SwitchKind kind) {
  return kind == SwitchKind::kApplications || kind == SwitchKind::kSharing ||
         kind == SwitchKind::kTransport;
}

bool names_own_sae(Services services, const std::string& name) {
  if (services.saes == nullptr) return false;
  const kme::SaeEntry* sae = services.saes->settings().find(name);
  return sae != nullptr && sae->site == services.saes->self();
}

bool has_sources(Services services) {
  return services.site.keys.random().status().from == kme::RandomFrom::kSources;
}

bool is_random_use(const std::string& name) {
  return std::ranges::find(kme::kRandomUses, name, kme::random_use_name) !=
         std::ranges::end(kme::kRandomUses);
}

// An entry can outlast what it names, and what it could change.
bool in_force(Services services, const kme::Switch& entry) {
  if (entry.kind == SwitchKind::kSae) return names_own_sae(services, entry.name);
  if (entry.kind == SwitchKind::kRandom) return !has_sources(services);
  const auto peer = SiteName::parse(entry.name);
  return peer && services.site.keys.link_to(*peer) != nullptr;
}

Result<> check(Services services, SwitchKind kind, const std::string& name, bool takes_away) {
  const bool of_applications = kind == SwitchKind::kSae || kind == SwitchKind::kApplications;
  if (of_applications && services.saes == nullptr) {
    return fail(Code::kNotFound, "site " + services.site.config.name.text() +
                                     " gives no keys to applications: it has no [kms]");
  }
  if (is_of_link(kind)) {
    TRY_ASSIGN(const SiteName peer, SiteName::parse(name));
    if (services.site.keys.link_to(peer) == nullptr) {
      return fail(Code::kNotFound, "there is no link to " + name);
    }
  }
  if (kind == SwitchKind::kSae && !names_own_sae(services, name)) {
    return fail(Code::kNotFound, "SAE " + name + " is not one of this site");
  }
  if (kind == SwitchKind::kRandom && !is_random_use(name)) {
    return fail(Code::kInvalidArgument,
                "'" + name +
                    "' must be \"sharing\", \"applications\" or \"relaying\": what takes the "
                    "numbers");
  }
  if (kind == SwitchKind::kRandom && !takes_away && has_sources(services)) {
    return fail(Code::kRefused,
                "[[random.source]] is configured: nothing may take the place of the numbers that "
                "its sources are mixed to; only \"default\" is possible");
  }
  return {};
}

json::value switches_json(Services services) {
  json::array list;
  for (const kme::Switch& entry : services.site.keys.switches().all()) {
    const bool of_link = is_of_link(entry.kind);
    const std::string_view kind = switch_kind_name(entry.kind);
    list.push_back({{"what", of_link ? "link" : kind},
                    {"name", entry.name},
                    {"for", of_link ? kind : ""},
                    {"value", kme::switch_value_name(entry.value)},
                    {"since", os::utc_text(entry.since)},
                    {"in_force", in_force(services, entry)}});
  }
  return {{"site", services.site.config.name.text()},
          {"key_as_share", services.site.config.key_as_share},
          {"random", kme::random_from_name(services.site.keys.random().status().from)},
          {"switches", std::move(list)}};
}

// {"link": SITE, "for": USE}, {"sae": ID} or {"random": USE}, and "value".
Result<json::value> change(http::RequestContext& context, Services services) {
  TRY_ASSIGN(const json::object body, body_object(context));
  const int named = (body.contains("link") ? 1 : 0) + (body.contains("sae") ? 1 : 0) +
                    (body.contains("random") ? 1 : 0);
  if (named != 1) {
    return fail(Code::kInvalidArgument, "name one of \"link\", \"sae\" and \"random\"");
  }
  TRY_ASSIGN(const std::string value, text_field(body, "value"));
  SwitchKind kind = body.contains("sae") ? SwitchKind::kSae : SwitchKind::kRandom;
  const char* field = body.contains("sae") ? "sae" : "random";
  if (body.contains("link")) {
    field = "link";
    TRY_ASSIGN(const std::string use, text_field(body, "for"));
    bool known = false;
    for (const auto one :
         {SwitchKind::kSharing, SwitchKind::kTransport, SwitchKind::kApplications}) {
      if (switch_kind_name(one) != use) continue;
      kind = one;
      known = true;
    }
    if (!known) {
      return fail(Code::kInvalidArgument,
                  "'" + use + "' must be \"sharing\", \"transport\" or \"applications\"");
    }
  }
  TRY_ASSIGN(const std::string name, text_field(body, field));
  TRY(set_switch(services, kind, name, value));
  return switches_json(services);
}

}  // namespace

std::string_view switch_kind_name(SwitchKind kind) {
  switch (kind) {
    case SwitchKind::kSae: return "sae";
    case SwitchKind::kApplications: return "applications";
    case SwitchKind::kSharing: return "sharing";
    case SwitchKind::kTransport: return "transport";
    case SwitchKind::kRandom: return "random";
  }
  return "unknown";
}

Result<> set_switch(Services services, SwitchKind kind, const std::string& name,
                    const std::string& value) {
  TRY_ASSIGN(const auto parsed, kme::parse_switch_value(kind, value));
  TRY(check(services, kind, name, !parsed.has_value()));
  kme::Switches& switches = services.site.keys.switches();
  const auto before = switches.find(kind, name);
  const bool as_before = before ? parsed == before->value : !parsed;
  if (as_before) return {};
  const std::string what(switch_kind_name(kind));
  TRY(services.site.log.append("switched", {{"what", what}, {"name", name}, {"value", value}}));
  TRY(switches.set(kind, name, parsed));
  log_info("switched: " + what + " of " + name + " is " + value);
  return {};
}

json::object link_switches_json(Services services, const std::string& peer) {
  json::object object;
  for (const auto kind :
       {SwitchKind::kSharing, SwitchKind::kTransport, SwitchKind::kApplications}) {
    const auto entry = services.site.keys.switches().find(kind, peer);
    if (!entry) continue;
    object[switch_kind_name(kind)] = {{"value", kme::switch_value_name(entry->value)},
                                      {"since", os::utc_text(entry->since)}};
  }
  return object;
}

void add_switch_routes(http::Router& router, Services services) {
  router.add(http::Method::kGet, "/v1/switches",
             json_handler([services](http::RequestContext&) -> Result<json::value> {
               return switches_json(services);
             }));
  router.add(http::Method::kPost, "/v1/switches",
             json_handler(
                 [services](http::RequestContext& context) { return change(context, services); }));
}

}  // namespace warifu::api
