// Pages from every site, put in order.
#include "custody/access_view.h"

#include <algorithm>

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

}  // namespace

Result<AccessView> accesses_of(control::SiteContext& site, catalog::Catalog& catalog,
                               CustodyService& own, const std::string& person) {
  TRY_ASSIGN(const auto pseudonyms, catalog.pseudonyms(person));
  AccessView view;
  for (const catalog::SitePseudonym& at : pseudonyms) {
    const auto read = read_site(site, own, at, view);
    if (!read) view.missing.emplace_back(at.site, read.error().message);
  }
  std::ranges::stable_sort(view.accesses, {},
                           [](const SiteAccess& one) { return one.access.time.value; });
  return view;
}

}  // namespace warifu::custody
