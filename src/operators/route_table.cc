// The table. Columns: method, path, who may, kind, what else it takes.
#include "operators/route_table.h"

#include <algorithm>

namespace warifu::operators {
namespace {

using enum RouteKind;
using enum http::Method;

// Biobank, hospital, key operator, auditor, officer, kiosk (terminal).
constexpr Role B = Role::kBiobank;
constexpr Role H = Role::kHospital;
constexpr Role K = Role::kKeyOperator;
constexpr Role A = Role::kAuditor;
constexpr Role O = Role::kOfficer;
constexpr Role T = Role::kKiosk;
constexpr RoleSet kEverybody = {B, H, K, A, O, T};

using enum RouteCare;

constexpr RouteRule kTable[] = {
    // The site and who works with it.
    {kGet, "/v1/status", kEverybody, kLook},
    {kGet, "/v1/operators", kEverybody, kLook},
    {kGet, "/v1/operators/me", kEverybody, kLook},
    {kPost, "/v1/operators/confirm", kEverybody, kConfirm},
    {kGet, "/v1/proposals", kEverybody, kLook},
    {kPost, "/v1/proposals/{proposal}/approve", kEverybody, kApprove, kConfirmed},
    {kPost, "/v1/proposals/{proposal}/reject", kEverybody, kReject},
    {kGet, "/metrics", kEverybody, kLook},

    // Pages and browsers (web/edge_gate.h stands in front of them).
    {kGet, "/", kEverybody, kLook},
    {kGet, "/app", kEverybody, kLook},
    {kGet, "/app/{page...}", kEverybody, kLook},
    {kGet, "/viewer", kEverybody, kLook},
    {kGet, "/assets/{file...}", kEverybody, kLook},
    {kGet, "/v1/web", kEverybody, kLook},
    {kGet, "/v1/web/sessions", kEverybody, kLook},
    {kPost, "/v1/web/code", kEverybody, kAct},
    {kPost, "/v1/web/login", kEverybody, kStep},  // by the code, whose giving is in the log
    {kPost, "/v1/web/logout", kEverybody, kAct},
    {kPost, "/v1/web/sessions/{session}/end", kEverybody, kAct},
    {kGet, "/v1/events", kEverybody, kLook},
    {kGet, "/v1/links/history", kEverybody, kLook},

    // Links, key, random numbers, applications.
    {kGet, "/v1/links", kEverybody, kLook},
    {kPost, "/v1/links/import", {K}, kAct},
    {kGet, "/v1/links/disk", {K, A}, kLook},
    {kPost, "/v1/links/disk", {K}, kAct},
    {kPost, "/v1/links/disk/abandon", {K}, kAct},
    {kGet, "/v1/keys", {B, K, A, O}, kLook},
    {kGet, "/v1/keys/segments", {K, A}, kLook},
    {kGet, "/v1/keys/quarantine", {K, A}, kLook},
    {kGet, "/v1/keys/trail", {K, A}, kLook},
    {kPost, "/v1/keys/quarantine/discard", {K}, kAct},
    {kPost, "/v1/keys/reconcile", {K}, kAct},
    {kPost, "/v1/keys/retire", {K}, kAct, kConfirmed},
    {kPost, "/v1/keys/burn", {K}, kAct, kConfirmed},
    {kGet, "/v1/random", {K, A}, kLook},
    {kPost, "/v1/random/import", {K}, kAct},
    {kPost, "/v1/random/readmit", {K}, kAct},
    {kGet, "/v1/switches", {K, A}, kLook},
    {kPost, "/v1/switches", {K}, kAct},
    {kGet, "/v1/saes", {K, A}, kLook},
    {kPost, "/v1/saes/pause", {K}, kAct},
    {kGet, "/v1/streams", {K, A}, kLook},

    // The log, and audits of what is stored.
    {kGet, "/v1/audit", {A, O}, kLook},
    {kGet, "/v1/log", {A, O}, kLook},
    {kGet, "/v1/log/checkpoint", {A, O}, kLook},
    {kGet, "/v1/log/proof", {A, O}, kLook},
    {kGet, "/v1/log/consistency", {A, O}, kLook},
    {kGet, "/v1/log/search", {A, O}, kLook},
    {kGet, "/v1/log/export", {A, O}, kAct},
    {kPost, "/v1/log/round", {A, O}, kAct},
    {kPost, "/v1/log/erase", {O}, kAct, kTwoPersons},
    {kPost, "/v1/objects/{object}/audit", {B, A}, kAct},
    {kGet, "/v1/audits/{audit}", {B, A}, kLook},
    {kGet, "/v1/auditable", {B, A}, kLook},
    {kGet, "/v1/scrub", {B, K, A}, kLook},
    {kPost, "/v1/scrub", {B, K, A}, kAct},

    // The catalog and its copies.
    {kGet, "/v1/catalog", {B, A, O}, kLook},
    {kGet, "/v1/catalog/check", {B, A, O}, kLook},
    {kPost, "/v1/catalog/allow", {O}, kAct, kConfirmed},
    {kPost, "/v1/catalog/forget", {O}, kAct, kTwoPersons},
    {kPost, "/v1/catalog/copy", {B, O}, kAct},
    {kPost, "/v1/catalog/backup", {O}, kAct},
    {kPost, "/v1/catalog/rebuild", {O}, kAct, kConfirmed},

    // People and their cards. A ceremony's kind stands in its body, where the handler asks again.
    {kGet, "/v1/persons", {B, H, O}, kLook},
    {kPost, "/v1/persons", {B}, kAct},
    {kPost, "/v1/persons/signed", {B}, kAct},
    {kPost, "/v1/persons/{person}/confirm", {B}, kAct},
    {kPost, "/v1/persons/{person}/reissue", {B}, kAct, kConfirmed},
    {kPost, "/v1/persons/{person}/reissue/confirm", {B}, kAct},
    {kPost, "/v1/persons/{person}/reissue/signed", {B}, kAct, kConfirmed},
    {kGet, "/v1/persons/{person}/reissue", {B, H, O}, kLook},
    {kPost, "/v1/persons/{person}/reissue/order", {B}, kAct, kConfirmed},

    // Orders for enrolments: the biobank gives them, terminals carry them out and do nothing else.
    {kPost, "/v1/enrolments", {B}, kAct},
    {kGet, "/v1/enrolments", {B}, kLook},
    {kGet, "/v1/enrolments/{order}", {B}, kLook},
    {kPost, "/v1/enrolments/{order}/cancel", {B}, kAct},
    {kPost, "/v1/enrolments/find", {B, T}, kAct},
    {kPost, "/v1/enrolments/resume", {B, T}, kAct},
    {kPost, "/v1/enrolments/finish", {B, T}, kAct},
    {kPost, "/v1/enrolments/{order}/begin", {B, T}, kAct},
    {kPost, "/v1/enrolments/{order}/signed", {B, T}, kAct},
    {kPost, "/v1/enrolments/{order}/trouble", {B, T}, kAct},
    {kGet, "/v1/persons/{person}/accesses", {B, H, A, O, T}, kAct},
    {kGet, "/v1/persons/{person}", {B, H, O}, kLook},
    {kPost, "/v1/persons/{person}/proxies/prepare", {B, H}, kAct},
    {kPost, "/v1/persons/{person}/proxies", {B, H}, kAct},
    {kPost, "/v1/persons/{person}/proxies/remove", {B, H, O}, kAct},
    {kPost, "/v1/persons/{person}/emergency/prepare", {B, H}, kAct},
    {kPost, "/v1/persons/{person}/emergency", {B, H}, kAct},
    {kPost, "/v1/persons/{person}/emergency/forbid", {B, H, O}, kAct},
    {kPost, "/v1/persons/{person}/guardians", {B}, kAct, kConfirmed},
    {kPost, "/v1/persons/{person}/died", {B, H}, kAct, kConfirmed},
    {kPost, "/v1/persons/{person}/lives", {B, H}, kAct},
    {kGet, "/v1/person-orders", {B, A, O}, kLook},
    {kPost, "/v1/person-orders/{order}/allow", {O}, kAct, kTwoPersons},
    {kPost, "/v1/person-orders/{order}/decline", {O}, kAct},
    {kPost, "/v1/cards/ceremonies", {B, H, T}, kAct},
    {kPost, "/v1/cards/ceremonies/{ceremony}", {B, H, T}, kStep},
    {kPost, "/v1/cards/renewal", {B}, kAct},
    {kPost, "/v1/cards/renewal/signed", {B}, kAct},
    {kPost, "/v1/cards/top-up/prepare", {B}, kAct},
    {kPost, "/v1/cards/top-up", {B}, kAct},
    {kGet, "/v1/cards/status", {B, A, O}, kLook},
    {kGet, "/v1/cards/lost", {B, A, O}, kLook},
    {kGet, "/v1/cards/{card}/records", {B, T}, kLook},
    {kPost, "/v1/cards/{card}/revoke", {B, H, O}, kAct, kConfirmed},
    {kPost, "/v1/cards/{card}/allow-reissue", {O}, kAct, kTwoPersons},

    // Objects: storing, looking, keeping up, deleting.
    {kGet, "/v1/objects", {B, H, A}, kLook},
    {kPost, "/v1/objects", {B}, kAct},
    {kPost, "/v1/uploads", {B}, kAct},
    {kGet, "/v1/uploads", {B}, kLook},
    {kGet, "/v1/uploads/references", {B}, kLook},
    {kGet, "/v1/uploads/{upload}", {B}, kLook},
    {kPost, "/v1/uploads/{upload}", {B}, kStep},  // pieces of what is in the log since it began
    {kPost, "/v1/uploads/{upload}/index", {B}, kStep},
    {kPost, "/v1/uploads/{upload}/ends", {B}, kStep},
    {kPost, "/v1/uploads/{upload}/prepare", {B}, kAct},
    {kPost, "/v1/uploads/{upload}/finish", {B}, kAct},
    {kPost, "/v1/uploads/{upload}/cancel", {B}, kAct},
    {kGet, "/v1/objects/{object}", {B, H, A}, kLook},
    {kGet, "/v1/objects/{object}/explain", {B, H, A}, kLook},
    {kGet, "/v1/objects/{object}/plan", {B, A}, kLook},
    {kGet, "/v1/plan", {B, A}, kLook},
    {kGet, "/v1/objects/{object}/card-record", {B, T}, kAct},
    {kPost, "/v1/objects/{object}/card-record", {B, T}, kStep},
    {kGet, "/v1/objects/{object}/check", {B, A}, kLook},
    {kGet, "/v1/objects/{object}/relocation", {B, A}, kLook},
    {kPost, "/v1/objects/{object}/relocation", {B}, kAct},
    {kGet, "/v1/objects/{object}/reshare", {B, A}, kLook},
    {kPost, "/v1/objects/{object}/reshare", {B}, kAct},
    {kPost, "/v1/objects/{object}/refresh/preview", {B, A}, kLook},
    {kPost, "/v1/objects/{object}/refresh", {B}, kAct},
    {kGet, "/v1/refresh", {B, A}, kLook},
    {kPost, "/v1/objects/{object}/delete", {B}, kAct, kTwoPersons},
    {kPost, "/v1/sites/{site}/repair", {B}, kAct},
    {kPost, "/v1/sites/{site}/drain", {B}, kAct, kConfirmed},

    // Jobs.
    {kGet, "/v1/jobs", {B, H, A}, kLook},
    {kGet, "/v1/jobs/{job}", {B, H, A}, kLook},
    {kPost, "/v1/jobs/{job}/priority/{priority}", {B}, kAct},
    {kPost, "/v1/jobs/{job}/pause", {B}, kAct},
    {kPost, "/v1/jobs/{job}/resume", {B}, kAct},
    {kPost, "/v1/jobs/{job}/cancel", {B}, kAct},

    // What is asked of persons, and where they see it.
    {kGet, "/v1/genes", kEverybody, kLook},  // of nobody
    {kPost, "/v1/requests", {H}, kAct},
    {kGet, "/v1/requests", {B, H, A}, kLook},
    {kGet, "/v1/requests/{request}", {B, H, A, T}, kLook},
    {kPost, "/v1/requests/{request}/cancel", {H}, kAct},
    {kPost, "/v1/requests/{request}/refuse", {H, T}, kAct},
    {kGet, "/v1/cards/{card}/requests", {H, T}, kAct},

    // Consents and restores.
    {kPost, "/v1/consents/prepare", {H, T}, kAct},
    {kPost, "/v1/consents", {H, T}, kAct},
    {kPost, "/v1/consents/signed", {H, T}, kAct},
    {kPost, "/v1/consents/{grant}/quote", {H, T}, kAct},
    {kGet, "/v1/consents", {B, H, A, O}, kLook},
    {kGet, "/v1/consents/{grant}/receipt", {B, H, A, O, T}, kLook},
    {kPost, "/v1/consents/refusals", {H, T}, kAct},
    {kPost, "/v1/consents/{grant}/withdraw", {B, H, O, T}, kAct},
    {kPost, "/v1/restores", {H}, kAct},
    {kGet, "/v1/restores/{job}/content", {H}, kAct},

    // Scores and risks under a consent.
    {kGet, "/v1/risk/model", {H}, kLook},
    {kPost, "/v1/risk/model", {H}, kLook},  // reads a model that comes along
    {kPost, "/v1/risk/{grant}/plan", {H}, kLook},
    {kPost, "/v1/risk/{grant}/score", {H}, kAct},
    {kPost, "/v1/risk/{grant}/absolute", {H}, kAct},
    {kGet, "/v1/risk/{grant}", {H}, kAct},
    {kGet, "/v1/risk/{grant}/fhir", {H}, kAct},
    {kPost, "/v1/risk/{grant}/forget", {H}, kAct},

    // Views of regions; what is looked at in one goes by its token, whose giving is in the log.
    {kPost, "/v1/views", {H}, kAct},
    {kGet, "/v1/views", {B, H, A, O}, kLook},
    {kGet, "/v1/views/{view}/reference", {H}, kLook},
    {kPost, "/v1/views/{view}/end", {H, O}, kAct},
    {kGet, "/htsget/reads/service-info", kEverybody, kLook},
    {kGet, "/htsget/reads/{id}", kEverybody, kStep},
    {kPost, "/htsget/reads/{id}", kEverybody, kStep},
    {kGet, "/htsget/data/reads/{id}", kEverybody, kStep},
    {kGet, "/htsget/variants/service-info", kEverybody, kLook},
    {kGet, "/htsget/variants/{id}", kEverybody, kStep},
    {kPost, "/htsget/variants/{id}", kEverybody, kStep},
    {kGet, "/htsget/data/variants/{id}", kEverybody, kStep},
    {kOptions, "/htsget/{path...}", kEverybody, kLook},
};

}  // namespace

std::span<const RouteRule> route_table() {
  return kTable;
}

const RouteRule* find_rule(http::Method method, std::string_view path) {
  const auto found = std::ranges::find_if(
      kTable, [&](const RouteRule& rule) { return rule.method == method && rule.path == path; });
  return found == std::ranges::end(kTable) ? nullptr : found;
}

}  // namespace warifu::operators
