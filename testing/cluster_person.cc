// Ceremonies and orders at the control site.
#include "testing/cluster_person.h"

#include "consent/grant.h"

namespace warifu::sim {
namespace {

constexpr std::string_view kPin = "1234";
constexpr std::uint32_t kCardKeys = 40;
constexpr std::uint16_t kUses = 40;

ByteView pin() {
  return {reinterpret_cast<const Byte*>(kPin.data()), kPin.size()};
}

}  // namespace

Result<ClusterPerson::Terminal> ClusterPerson::open_card(bool blank) {
  Terminal terminal;
  if (blank) {
    TRY_ASSIGN(terminal.transport, card::EmulatedCard::create(card_disk_, kCardFile));
  } else {
    TRY_ASSIGN(terminal.transport, card::EmulatedCard::open(card_disk_, kCardFile));
  }
  TRY_ASSIGN(terminal.session, card::Session::open(*terminal.transport));
  TRY_ASSIGN(card::ConsentCard card, card::ConsentCard::select(*terminal.session));
  terminal.card = std::make_unique<card::ConsentCard>(std::move(card));
  if (!blank) TRY(terminal.card->verify_pin(pin()));
  return terminal;
}

Result<> ClusterPerson::enrol(ClusterSite& control) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Terminal terminal, open_card(true));
  TRY_ASSIGN(control::CardContent content,
             control.control().enrolment().begin(name_, "Somebody", kCardKeys));
  card::Personalisation personal{.card = content.card,
                                 .pin = secret::Buffer::copy_of(pin()),
                                 .first_index = content.keys.first,
                                 .sites = std::move(content.sites)};
  TRY(terminal.card->personalise(personal));
  return control.control().enrolment().finish(name_, content.card);
}

Result<control::StoreTicket> ClusterPerson::upload(ClusterSite& control, ByteView plain,
                                                   const std::string& label) const {
  TRY_ASSIGN(control::Upload upload,
             control.control().store_desk().begin(name_, label, plain.size(), ""));
  TRY(upload.append(plain));
  return upload.finish();
}

Result<> ClusterPerson::load_record(ClusterSite& control, const ObjectId& id) {
  const std::lock_guard lock(mutex_);
  catalog::Catalog& catalog = control.catalog();
  TRY_ASSIGN(const catalog::Object object, catalog.object(id));
  // As at a terminal: the card knows, whatever a catalog that was rebuilt says.
  {
    TRY_ASSIGN(Terminal terminal, open_card(false));
    const auto held = terminal.card->get_object(id);
    if (held) return catalog.set_card_record(id, catalog::CardRecordState::kOnCard);
    if (held.error().code != Code::kNotFound) return std::unexpected(held.error());
  }
  TRY_ASSIGN(const auto jobs,
             catalog.list_jobs({.kind = catalog::JobKind::kStore, .object = id}, {.count = 1}));
  if (jobs.empty()) return fail(Code::kNotFound, "no job stored this object");
  TRY_ASSIGN(const control::ObjectSecrets secrets,
             control::open_object_secrets(control.context().keys.root_key().bytes(),
                                          jobs.front().sealed_secret));
  TRY_ASSIGN(Terminal terminal, open_card(false));
  TRY(terminal.card->put_object({.object = id,
                                 .hash_key = secret::Buffer::copy_of(secrets.hash_key.bytes()),
                                 .tag = secrets.tag,
                                 .chunk_count = object.chunk_count,
                                 .length = {object.length}}));
  TRY(catalog.set_card_record(id, catalog::CardRecordState::kOnCard));
  return catalog.set_job_secret(jobs.front().job, {});
}

Result<> ClusterPerson::find_name(ClusterSite& control) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Terminal terminal, open_card(false));
  TRY_ASSIGN(const card::CardIdentity identity, terminal.card->identity());
  TRY_ASSIGN(const catalog::Person person, control.catalog().person_of_card(identity.card));
  name_ = person.person_id;
  return {};
}

Result<GrantId> ClusterPerson::consent(ClusterSite& control, const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Terminal terminal, open_card(false));
  TRY_ASSIGN(const card::CardIdentity identity, terminal.card->identity());
  control::ConsentWish wish{.object = object,
                            .grantee = {consent::GranteeKind::kPerson, "reader", {}},
                            .destination = control.context().config.name,
                            .uses = kUses,
                            .valid = std::chrono::hours(48),
                            .card = identity.card,
                            .next_index = identity.keys.first,
                            .terminal = "T1"};
  TRY_ASSIGN(const control::PreparedConsent prepared,
             control.control().consent_desk().prepare(wish));
  TRY_ASSIGN(const card::ObjectRecord record, terminal.card->get_object(object));
  TRY_ASSIGN(std::vector<mac::Tag> tags, terminal.card->authorise(prepared.grant));
  return control.control().consent_desk().accept(
      {.grant = prepared.grant,
       .kind = identity.kind(),
       .tags = std::move(tags),
       .hash_key = secret::Buffer::copy_of(record.hash_key.bytes()),
       .tag_over_tags = record.tag,
       .chunk_count = record.chunk_count,
       .length = record.length});
}

Result<Bytes> ClusterPerson::restore(ClusterSite& control, const ObjectId& object,
                                     const GrantId& grant) {
  control::RestoreDesk& desk = control.control().restore_desk();
  TRY_ASSIGN(const JobId job,
             desk.begin({.object = object,
                         .grant = grant,
                         .grantee = {consent::GranteeKind::kPerson, "reader", {}}}));
  Bytes got;
  TRY(desk.stream(job, 0, [&](ByteView plain) -> Result<> {
    got.insert(got.end(), plain.begin(), plain.end());
    return {};
  }));
  return got;
}

Result<> ClusterPerson::renew_card(ClusterSite& control, const SiteName& site) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Terminal terminal, open_card(false));
  TRY_ASSIGN(const card::CardIdentity identity, terminal.card->identity());
  TRY(terminal.card->may_renew(identity.keys, site));
  TRY_ASSIGN(const control::CardContent content,
             control.control().enrolment().renew(identity.card, identity.keys, {site}));
  return terminal.card->renew(content.keys.first, content.sites);
}

}  // namespace warifu::sim
