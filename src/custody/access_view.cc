// Pages from every site, put in order.
#include "custody/access_view.h"

#include <algorithm>
#include <map>

#include "consent/veil.h"

namespace warifu::custody {
namespace {

Result<> read_site(control::SiteContext& site, CustodyService& own,
                   const catalog::SitePseudonym& at, AccessView& view) {
  WantedAccesses wanted{at.pseudonym, 0};
  for (bool more = true; more;) {
    AccessPage page;
    if (at.site == site.config.name) {
      TRY_ASSIGN(page, own.accesses(wanted));
    } else {
      TRY_ASSIGN(const Bytes answer,
                 site.caller.ask(at.site, number(Method::kAccesses), encode(wanted)));
      TRY_ASSIGN(page, decode_access_page(answer));
    }
    more = page.more && page.seen > wanted.after;
    wanted.after = page.seen;
    for (Access& access : page.accesses) view.accesses.push_back({at.site, std::move(access)});
  }
  return {};
}

// Empty where the catalog does not know.
std::string regions_of(catalog::Catalog& catalog, const std::string& grant) {
  const auto id = GrantId::parse(grant);
  if (!id) return {};
  const auto record = catalog.grant(*id);
  if (!record) return {};
  const auto opened = consent::parse_opened(record->grant_bytes, record->opening);
  return opened ? consent::scope_text({opened->scope.assembly, opened->scope.regions}) : "";
}

// A holder that was not told the regions could not log them; share control knows them of its
// grants.
void name_hidden(catalog::Catalog& catalog, std::vector<SiteAccess>& accesses) {
  std::map<std::string, std::string> known;  // words by grant
  for (SiteAccess& one : accesses) {
    auto& fields = one.access.fields;
    const auto scope = std::ranges::find(fields, "scope", [](const auto& f) { return f.first; });
    const auto grant = std::ranges::find(fields, "grant", [](const auto& f) { return f.first; });
    if (scope == fields.end() || grant == fields.end()) continue;
    if (!scope->second.starts_with(consent::kHiddenRegions)) continue;
    const auto [words, is_new] = known.emplace(grant->second, std::string());
    if (is_new) words->second = regions_of(catalog, grant->second);
    if (!words->second.empty()) scope->second = words->second + ", as " + scope->second;
  }
}

}  // namespace

Result<AccessView> accesses_of(control::SiteContext& site, catalog::Catalog& catalog,
                               CustodyService& own, const std::string& person) {
  TRY_ASSIGN(const auto pseudonyms, catalog.pseudonyms(person));
  AccessView view;
  for (const catalog::SitePseudonym& at : pseudonyms) {
    const auto read = read_site(site, own, at, view);
    if (!read) view.missing.emplace_back(at.site, read.error().message);
  }
  name_hidden(catalog, view.accesses);
  std::ranges::stable_sort(view.accesses, {},
                           [](const SiteAccess& one) { return one.access.time.value; });
  return view;
}

}  // namespace warifu::custody
