// Persons, cards, pseudonyms and sites.
#include <gtest/gtest.h>

#include <thread>

#include "catalog/catalog_test_support.h"
#include "catalog/sqlite.h"

namespace warifu::catalog {
namespace {

class PersonsTest : public testing::Test, protected CatalogHome {};

TEST_F(PersonsTest, AddFindAndRefuseDoubles) {
  const Person person = sample_person();
  ASSERT_TRUE(catalog_->add_person(person));
  reopen();
  EXPECT_EQ(*catalog_->person("P-000123"), person);
  EXPECT_EQ(*catalog_->person_of_card(person.card), person);
  EXPECT_TRUE(is_error(catalog_->add_person(sample_person("P-000123", 0x98)), Code::kAlreadyExists,
                       "person 'P-000123' is already enrolled"));
  EXPECT_TRUE(is_error(catalog_->add_person(sample_person("P-2", 0x99)), Code::kAlreadyExists,
                       "already belongs to person 'P-000123'"));
  EXPECT_TRUE(is_error(catalog_->person("P-1"), Code::kNotFound, "person 'P-1' is not enrolled"));
  EXPECT_TRUE(is_error(catalog_->person_of_card(id_of<CardId>(1)), Code::kNotFound,
                       "belongs to no enrolled person"));
}

TEST_F(PersonsTest, BadRecordsAreRefused) {
  for (const char* bad : {"", "P 1", "P/1", "P\n1", "花子", "'; DROP TABLE person; --"}) {
    EXPECT_TRUE(is_error(catalog_->add_person(sample_person(bad)), Code::kInvalidArgument,
                         "must be 1 to 64 characters"))
        << bad;
  }
  EXPECT_FALSE(catalog_->add_person(sample_person(std::string(65, 'P'))));
  EXPECT_TRUE(catalog_->add_person(sample_person(std::string(64, 'P'))));
  Person person = sample_person("P-1", 0x01);
  person.name = "";
  EXPECT_FALSE(catalog_->add_person(person));
  person.name = "a\x1b[2J";
  EXPECT_TRUE(is_error(catalog_->add_person(person), Code::kInvalidArgument, "control characters"));
  person.name = std::string(257, 'a');
  EXPECT_FALSE(catalog_->add_person(person));
  person.name = "Robert'); DROP TABLE person; --";
  ASSERT_TRUE(catalog_->add_person(person));
  EXPECT_EQ(catalog_->person("P-1")->name, person.name);
  person = sample_person("P-2");
  person.card = {};
  EXPECT_FALSE(catalog_->add_person(person));
}

TEST_F(PersonsTest, ALostCardIsReplaced) {
  ASSERT_TRUE(catalog_->add_person(sample_person("P-1", 1)));
  ASSERT_TRUE(catalog_->add_person(sample_person("P-2", 2)));
  ASSERT_TRUE(catalog_->replace_card("P-1", id_of<CardId>(3)));
  ASSERT_TRUE(catalog_->replace_card("P-1", id_of<CardId>(3)));
  EXPECT_EQ(catalog_->person_of_card(id_of<CardId>(3))->person_id, "P-1");
  EXPECT_FALSE(catalog_->person_of_card(id_of<CardId>(1)));
  EXPECT_TRUE(is_error(catalog_->replace_card("P-1", id_of<CardId>(2)), Code::kAlreadyExists,
                       "person 'P-2'"));
  EXPECT_TRUE(is_error(catalog_->replace_card("P-3", id_of<CardId>(4)), Code::kNotFound, "P-3"));
  EXPECT_FALSE(catalog_->replace_card("P-1", {}));
}

TEST_F(PersonsTest, Pseudonyms) {
  ASSERT_TRUE(catalog_->add_person(sample_person("P-1", 1)));
  ASSERT_TRUE(catalog_->add_person(sample_person("P-2", 2)));
  const SitePseudonym at_tuh{site_of("tuh"), id_of<Pseudonym>(7)};
  const SitePseudonym at_lsa{site_of("lsa"), id_of<Pseudonym>(7)};
  ASSERT_TRUE(catalog_->set_pseudonym("P-1", at_tuh));
  ASSERT_TRUE(catalog_->set_pseudonym("P-1", at_tuh));
  ASSERT_TRUE(catalog_->set_pseudonym("P-1", at_lsa));
  EXPECT_EQ(*catalog_->pseudonyms("P-1"), (std::vector{at_lsa, at_tuh}));
  EXPECT_TRUE(catalog_->pseudonyms("P-2")->empty());
  EXPECT_EQ(catalog_->person_of_pseudonym(at_tuh)->person_id, "P-1");
  EXPECT_TRUE(is_error(catalog_->set_pseudonym("P-1", {site_of("tuh"), id_of<Pseudonym>(8)}),
                       Code::kAlreadyExists, "at site 'tuh' already"));
  EXPECT_TRUE(is_error(catalog_->set_pseudonym("P-2", at_tuh), Code::kAlreadyExists, "'P-1'"));
  EXPECT_TRUE(is_error(catalog_->set_pseudonym("P-9", at_tuh), Code::kNotFound, "P-9"));
  EXPECT_TRUE(is_error(catalog_->pseudonyms("P-9"), Code::kNotFound, "P-9"));
  EXPECT_TRUE(is_error(catalog_->person_of_pseudonym({site_of("tuh"), id_of<Pseudonym>(9)}),
                       Code::kNotFound, "belongs to no"));
}

TEST_F(PersonsTest, Sites) {
  const Site tuh{site_of("tuh"), 3, {"hospital", "gateway"}, "10.0.0.3:7000"};
  Site lsa{site_of("lsa"), 2, {"vault"}, "10.0.0.2:7000"};
  ASSERT_TRUE(catalog_->put_site(tuh));
  ASSERT_TRUE(catalog_->put_site(lsa));
  lsa.labels = {"vault", "east"};
  lsa.number = 4;
  ASSERT_TRUE(catalog_->put_site(lsa));
  EXPECT_EQ(*catalog_->list_sites(), (std::vector{tuh, lsa}));
  lsa.number = 3;
  EXPECT_TRUE(is_error(catalog_->put_site(lsa), Code::kAlreadyExists, "belongs to site 'tuh'"));
  EXPECT_EQ(catalog_->list_sites()->at(1).number, 4);
}

TEST_F(PersonsTest, TwentyThousandPersons) {
  {
    auto database = *Database::open(path_);
    ASSERT_TRUE(database->execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO person SELECT printf('P-%06d', i), 'Person ' || i, "
        "CAST(printf('%016d', i) AS BLOB), i FROM n"));
  }
  EXPECT_EQ(catalog_->person("P-012345")->name, "Person 12345");
  EXPECT_EQ(catalog_->person_of_card(CardId::from_view(as_bytes("0000000000019999")))->person_id,
            "P-019999");
  const auto page = *catalog_->list_persons("", {.skip = 19'990, .count = 100});
  ASSERT_EQ(page.size(), 10u);
  EXPECT_EQ(page.back().person_id, "P-020000");
  EXPECT_EQ(catalog_->list_persons("Person 1234", {})->size(), 11u);  // 1234 and 12340..12349
  EXPECT_EQ(catalog_->list_persons("P-0001", {.count = 1000})->size(), 100u);
  EXPECT_TRUE(catalog_->list_persons("%", {})->empty());
  EXPECT_FALSE(catalog_->list_persons("", {.count = 1001}));
  EXPECT_FALSE(catalog_->list_persons("", {.count = 0}));
  EXPECT_TRUE(catalog_->integrity_check());
}

TEST_F(PersonsTest, ManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const auto number = static_cast<Byte>(t * 25 + i + 1);
        ASSERT_TRUE(catalog_->add_person(sample_person("P-" + std::to_string(number), number)));
        ASSERT_TRUE(catalog_->person_of_card(id_of<CardId>(number)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(catalog_->list_persons("", {})->size(), 100u);
}

}  // namespace
}  // namespace warifu::catalog
