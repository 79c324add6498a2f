// Persons, their cards and pseudonyms, and sites.
#include "base/reason.h"
#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {
namespace {

constexpr std::string_view kPersonColumns = "SELECT person_id, name, card, created FROM person ";

Person read_person(Statement& row) {
  Person person;
  person.person_id = row.read_text();
  person.name = row.read_text();
  person.card = row.read_id<CardId>();
  person.created = row.read_time();
  return person;
}

std::string select_persons(std::string_view rest) {
  return std::string(kPersonColumns) + std::string(rest);
}

}  // namespace

Result<Person> SqliteCatalog::person_locked(const std::string& person_id) {
  TRY_ASSIGN(Statement statement, database_->prepare(select_persons("WHERE person_id = ?")));
  statement.text(person_id);
  TRY_ASSIGN(auto person, read_row_if_any<Person>(statement, read_person));
  if (!person) return fail(Code::kNotFound, "person '" + person_id + "' is not enrolled");
  return std::move(*person);
}

Result<std::optional<Person>> SqliteCatalog::find_card_locked(const CardId& card) {
  TRY_ASSIGN(Statement statement, database_->prepare(select_persons("WHERE card = ?")));
  statement.id(card);
  return read_row_if_any<Person>(statement, read_person);
}

Result<> SqliteCatalog::add_person_locked(const Person& person) {
  const auto known = person_locked(person.person_id);
  if (known) {
    return fail(Code::kAlreadyExists, "person '" + person.person_id + "' is already enrolled",
                Reason::kEnrolled);
  }
  if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
  TRY_ASSIGN(const auto holder, find_card_locked(person.card));
  if (holder) {
    return fail(Code::kAlreadyExists, "card " + person.card.text() +
                                          " already belongs to person '" + holder->person_id + "'");
  }
  TRY_ASSIGN(Statement statement,
             database_->prepare("INSERT INTO person (person_id, name, card, created) "
                                "VALUES (?, ?, ?, ?)"));
  return statement.text(person.person_id)
      .text(person.name)
      .id(person.card)
      .time(person.created)
      .run();
}

Result<> SqliteCatalog::add_person(const Person& person) {
  return enrol_person(person, {});
}

Result<> SqliteCatalog::enrol_person(const Person& person,
                                     std::span<const SitePseudonym> pseudonyms) {
  TRY(check_record(person));
  return change([&]() -> Result<> {
    TRY(add_person_locked(person));
    for (const SitePseudonym& one : pseudonyms) TRY(set_pseudonym_locked(person.person_id, one));
    return {};
  });
}

Result<Person> SqliteCatalog::person(const std::string& person_id) {
  const std::lock_guard lock(mutex_);
  return person_locked(person_id);
}

Result<Person> SqliteCatalog::person_of_card(const CardId& card) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(auto person, find_card_locked(card));
  if (!person) {
    return fail(Code::kNotFound, "card " + card.text() + " belongs to no enrolled person");
  }
  return std::move(*person);
}

Result<std::vector<Person>> SqliteCatalog::list_persons(const std::string& search,
                                                        const Page& page) {
  TRY(check_record(page));
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare(
                 select_persons("WHERE ?1 = '' OR instr(person_id, ?1) > 0 OR instr(name, ?1) > 0 "
                                "ORDER BY person_id LIMIT ?2 OFFSET ?3")));
  statement.text(search).number(page.count).number(page.skip);
  return read_rows<Person>(statement, read_person);
}

Result<> SqliteCatalog::replace_card_locked(const std::string& person_id, const CardId& card) {
  if (card.is_zero()) return fail(Code::kInvalidArgument, "the new card's identifier is zero");
  TRY(person_locked(person_id));
  TRY_ASSIGN(const auto holder, find_card_locked(card));
  if (holder && holder->person_id == person_id) return {};
  if (holder) {
    return fail(Code::kAlreadyExists,
                "card " + card.text() + " already belongs to person '" + holder->person_id + "'");
  }
  TRY_ASSIGN(Statement statement,
             database_->prepare("UPDATE person SET card = ? WHERE person_id = ?"));
  TRY(statement.id(card).text(person_id).run());
  TRY_ASSIGN(Statement records,
             database_->prepare("UPDATE object SET card_record = 'pending' WHERE person_id = ?"));
  return records.text(person_id).run();
}

Result<> SqliteCatalog::replace_card(const std::string& person_id, const CardId& card) {
  return reissue_card(person_id, card, {});
}

Result<> SqliteCatalog::reissue_card(const std::string& person_id, const CardId& card,
                                     std::span<const SitePseudonym> pseudonyms) {
  return change([&]() -> Result<> {
    TRY(replace_card_locked(person_id, card));
    for (const SitePseudonym& one : pseudonyms) TRY(set_pseudonym_locked(person_id, one));
    return {};
  });
}

Result<> SqliteCatalog::set_pseudonym_locked(const std::string& person_id,
                                             const SitePseudonym& pseudonym) {
  if (pseudonym.site.empty() || pseudonym.pseudonym.is_zero()) {
    return fail(Code::kInvalidArgument, "a pseudonym needs a site and must not be zero");
  }
  TRY(person_locked(person_id));
  TRY_ASSIGN(Statement known, database_->prepare("SELECT person_id, pseudonym FROM pseudonym "
                                                 "WHERE site = ?1 AND (person_id = ?2 OR "
                                                 "pseudonym = ?3)"));
  known.site(pseudonym.site).text(person_id).id(pseudonym.pseudonym);
  TRY_ASSIGN(const bool row, known.step());
  if (row) {
    const std::string holder = known.read_text();
    const auto value = known.read_id<Pseudonym>();
    TRY(known.check_row());
    if (holder == person_id && value == pseudonym.pseudonym) return {};
    return fail(Code::kAlreadyExists, "person '" + holder + "' has pseudonym " + value.text() +
                                          " at site '" + pseudonym.site.text() + "' already");
  }
  TRY_ASSIGN(Statement statement,
             database_->prepare("INSERT INTO pseudonym (person_id, site, pseudonym) "
                                "VALUES (?, ?, ?)"));
  return statement.text(person_id).site(pseudonym.site).id(pseudonym.pseudonym).run();
}

Result<> SqliteCatalog::set_pseudonym(const std::string& person_id,
                                      const SitePseudonym& pseudonym) {
  return change([&] { return set_pseudonym_locked(person_id, pseudonym); });
}

Result<std::vector<SitePseudonym>> SqliteCatalog::pseudonyms(const std::string& person_id) {
  const std::lock_guard lock(mutex_);
  TRY(person_locked(person_id));
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT site, pseudonym FROM pseudonym WHERE person_id = ? "
                                "ORDER BY site"));
  statement.text(person_id);
  return read_rows<SitePseudonym>(statement, [](Statement& row) {
    SitePseudonym pseudonym;
    pseudonym.site = row.read_site();
    pseudonym.pseudonym = row.read_id<Pseudonym>();
    return pseudonym;
  });
}

Result<Person> SqliteCatalog::person_of_pseudonym(const SitePseudonym& pseudonym) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare(select_persons("WHERE person_id = (SELECT person_id FROM pseudonym "
                                               "WHERE site = ? AND pseudonym = ?)")));
  statement.site(pseudonym.site).id(pseudonym.pseudonym);
  TRY_ASSIGN(auto person, read_row_if_any<Person>(statement, read_person));
  if (!person) {
    return fail(Code::kNotFound, "pseudonym " + pseudonym.pseudonym.text() + " at site '" +
                                     pseudonym.site.text() + "' belongs to no enrolled person");
  }
  return std::move(*person);
}

Result<> SqliteCatalog::put_site(const Site& site) {
  TRY(check_record(site));
  return change([&]() -> Result<> {
    TRY_ASSIGN(Statement taken,
               database_->prepare("SELECT site FROM site WHERE number = ? AND site <> ?"));
    taken.number(site.number).site(site.site);
    TRY_ASSIGN(const auto other,
               read_row_if_any<SiteName>(taken, [](Statement& row) { return row.read_site(); }));
    if (other) {
      return fail(Code::kAlreadyExists, "site number " + std::to_string(site.number) +
                                            " belongs to site '" + other->text() + "'");
    }
    TRY_ASSIGN(Statement put,
               database_->prepare("INSERT INTO site (site, number, address) VALUES (?, ?, ?) "
                                  "ON CONFLICT (site) DO UPDATE SET number = excluded.number, "
                                  "address = excluded.address"));
    TRY(put.site(site.site).number(site.number).text(site.address).run());
    TRY_ASSIGN(Statement forget, database_->prepare("DELETE FROM site_label WHERE site = ?"));
    TRY(forget.site(site.site).run());
    for (std::size_t i = 0; i < site.labels.size(); ++i) {
      TRY_ASSIGN(Statement label, database_->prepare("INSERT INTO site_label (site, position, "
                                                     "label) VALUES (?, ?, ?)"));
      TRY(label.site(site.site).number(i).text(site.labels[i]).run());
    }
    return {};
  });
}

Result<std::vector<Site>> SqliteCatalog::list_sites() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT site, number, address FROM site ORDER BY number"));
  TRY_ASSIGN(auto sites, read_rows<Site>(statement, [](Statement& row) {
               Site site;
               site.site = row.read_site();
               site.number = static_cast<std::uint8_t>(row.read_number(255));
               site.address = row.read_text();
               return site;
             }));
  for (Site& site : sites) {
    TRY_ASSIGN(Statement labels, database_->prepare("SELECT label FROM site_label WHERE site = ? "
                                                    "ORDER BY position"));
    labels.site(site.site);
    TRY_ASSIGN(site.labels,
               read_rows<std::string>(labels, [](Statement& row) { return row.read_text(); }));
  }
  return sites;
}

}  // namespace warifu::catalog
