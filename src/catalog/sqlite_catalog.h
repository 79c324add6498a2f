// The catalog in one SQLite file. Internal to `catalog`; made by open_sqlite().
//
// Every call holds mutex_ from beginning to end; every change runs in one transaction. Functions
// that end in _locked expect the mutex, and for changes the transaction, of their caller.
#pragma once

#include <mutex>

#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace warifu::catalog {

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(std::unique_ptr<Database> database, os::FileSystem& files)
      : files_(files), database_(std::move(database)) {}

  Result<> add_person(const Person& person) override;
  Result<> enrol_person(const Person& person, std::span<const SitePseudonym> pseudonyms) override;
  Result<Person> person(const std::string& person_id) override;
  Result<Person> person_of_card(const CardId& card) override;
  Result<std::vector<Person>> list_persons(const std::string& search, const Page& page) override;
  Result<> replace_card(const std::string& person_id, const CardId& card) override;
  Result<> reissue_card(const std::string& person_id, const CardId& card,
                        std::span<const SitePseudonym> pseudonyms) override;
  Result<> set_pseudonym(const std::string& person_id, const SitePseudonym& pseudonym) override;
  Result<std::vector<SitePseudonym>> pseudonyms(const std::string& person_id) override;
  Result<Person> person_of_pseudonym(const SitePseudonym& pseudonym) override;

  Result<> put_site(const Site& site) override;
  Result<std::vector<Site>> list_sites() override;

  Result<> add_object(const Object& object) override;
  Result<Object> object(const ObjectId& object) override;
  Result<std::vector<ObjectId>> objects_at(const SiteName& site, const ObjectId& after,
                                           std::uint64_t count) override;
  Result<std::uint64_t> count_objects_at(const SiteName& site) override;
  Result<std::vector<std::string>> policies() override;
  Result<std::vector<ObjectId>> objects_with_share_at(const std::string& policy,
                                                      std::span<const sharing::SharePath> places,
                                                      const ObjectId& after,
                                                      std::uint64_t count) override;
  Result<std::vector<Object>> list_objects(const ObjectFilter& filter, const Page& page) override;
  Result<> commit_object(const ObjectId& object, os::UnixMs now) override;
  Result<> fail_object(const ObjectId& object) override;
  Result<> delete_object(const ObjectId& object) override;
  Result<> set_card_record(const ObjectId& object, CardRecordState state) override;

  Result<> add_shares(std::span<const Share> shares) override;
  Result<> plan_shares(const ObjectId& object, const JobId& job, std::span<const Share> shares,
                       std::span<const Sighting> sightings,
                       std::span<const Sighting> reckoned) override;
  Result<Share> share(const ShareId& share) override;
  Result<std::vector<Share>> list_shares(const ObjectId& object) override;
  Result<> set_share_state(const ShareId& share, ShareState state) override;
  Result<> set_share_travel(const ShareId& share, const std::string& route,
                            const std::string& protections) override;
  Result<> move_location(const ShareId& parent, std::span<const ShareId> nested) override;
  Result<> replace_share(const ShareId& old, const Share& fresh,
                         std::span<const Share> parts) override;
  Result<> replace_parts(const ShareId& parent, std::span<const Share> parts) override;
  Result<> give_up_parts(const ShareId& parent) override;
  Result<> commit_generation(const ObjectId& object, std::uint32_t generation, const JobId& job,
                             std::span<const Sighting> sightings,
                             std::span<const Sighting> reckoned) override;
  Result<> mark_deleted(const ShareId& share) override;
  Result<std::vector<Share>> pending_deletions() override;

  Result<> start_job(const NewJob& job) override;
  Result<Job> job(const JobId& job) override;
  Result<std::vector<Job>> list_jobs(const JobFilter& filter, const Page& page) override;
  Result<std::vector<Job>> unfinished_jobs() override;
  Result<std::vector<Job>> unfinished_jobs_of(const ObjectId& object) override;
  Result<> update_job(const JobId& job, const JobProgress& progress) override;
  Result<> set_job_plan(const JobId& job, const std::string& plan) override;
  Result<> set_job_priority(const JobId& job, JobPriority priority) override;
  Result<> set_job_secret(const JobId& job, const Bytes& sealed) override;

  Result<> add_grant(const Grant& grant) override;
  Result<Grant> grant(const GrantId& grant) override;
  Result<std::vector<Grant>> list_grants(const GrantFilter& filter, const Page& page) override;
  Result<> set_grant_state(const GrantId& grant, GrantState state) override;

  Result<> add_request(const Request& request) override;
  Result<Request> request(const RequestId& request) override;
  Result<std::vector<Request>> list_requests(const RequestFilter& filter,
                                             const Page& page) override;
  Result<> offer_grant(const RequestId& request, const GrantId& grant, os::UnixMs now) override;
  Result<> decide_request(const RequestId& request, RequestState state, const std::string& why,
                          os::UnixMs now) override;

  Result<> add_enrolment(const EnrolmentOrder& order) override;
  Result<EnrolmentOrder> enrolment(const EnrolmentId& order) override;
  Result<EnrolmentOrder> enrolment_by_code(const std::string& code, os::UnixMs now) override;
  Result<std::vector<EnrolmentOrder>> list_enrolments(const Page& page) override;
  Result<> begin_enrolment(const EnrolmentCard& card) override;
  Result<EnrolmentCard> enrolment_card(const CardId& card) override;
  Result<> cancel_enrolment(const EnrolmentId& order, os::UnixMs now) override;
  Result<> set_enrolment_trouble(const EnrolmentId& order, const std::string& trouble) override;

  Result<> withdraw_grant(const GrantId& grant, const CardId& card, std::span<const SiteName> sites,
                          os::UnixMs now) override;
  Result<> revoke_card(const RevokedCard& card, std::span<const SiteName> sites) override;
  Result<std::vector<RevokedCard>> revoked_cards(const std::string& person_id) override;
  Result<std::vector<CardOrder>> card_orders() override;
  Result<> finish_card_order(std::uint64_t number) override;
  Result<> add_person_orders(std::span<const PersonOrder> orders) override;
  Result<std::vector<PersonOrder>> person_orders() override;
  Result<> finish_person_order(std::uint64_t number) override;

  Result<std::vector<UnkeptRecord>> unkept_records(std::size_t most) override;
  Result<> set_record_kept(const ObjectId& object, os::UnixMs now) override;
  Result<bool> is_record_kept(const ObjectId& object) override;
  Result<std::uint64_t> kept_records() override;
  Result<std::vector<ObjectId>> kept_records_of_deleted(std::size_t most) override;
  Result<> forget_kept_record(const ObjectId& object) override;
  Result<> forget_kept_records() override;

  Result<> add_link_use(const JobId& job, std::span<const LinkUse> uses) override;
  Result<std::vector<LinkUse>> link_use_of_job(const JobId& job) override;
  Result<std::vector<LinkUse>> link_use_of_object(const ObjectId& object) override;

  Result<> add_sightings(const ObjectId& object, const JobId& job,
                         std::span<const Sighting> sightings,
                         std::span<const Sighting> reckoned) override;
  Result<std::vector<Sighting>> sightings(const ObjectId& object) override;

  Result<> back_up(const std::string& path) override;
  Result<> take_over(const std::string& path) override;
  Result<> reseal(const std::function<Result<Bytes>(ByteView sealed)>& seal) override;
  Result<> settle_found(const FoundObject& found, const JobId& job) override;

  Result<> integrity_check() override;

 private:
  // Runs `body` under the mutex in a transaction; commits when it returns without error.
  template <typename Body>
  [[nodiscard]] Result<> change(Body body) {
    const std::lock_guard lock(mutex_);
    TRY_ASSIGN(Transaction transaction, Transaction::begin(*database_));
    TRY(body());
    return transaction.commit();
  }

  // Errors: kInvalidArgument naming `what` when `text` is neither empty nor JSON.
  [[nodiscard]] Result<> check_json_locked(std::string_view what, const std::string& text);
  [[nodiscard]] Result<Person> person_locked(const std::string& person_id);
  [[nodiscard]] Result<std::optional<Person>> find_card_locked(const CardId& card);
  [[nodiscard]] Result<Object> object_locked(const ObjectId& object);
  [[nodiscard]] Result<> add_object_locked(const Object& object);
  [[nodiscard]] Result<> set_object_state_locked(const ObjectId& object, ObjectState state);
  [[nodiscard]] Result<Share> share_locked(const ShareId& share);
  [[nodiscard]] Result<std::vector<Share>> shares_locked(const ObjectId& object);
  [[nodiscard]] Result<> check_parent_locked(const Share& share);
  [[nodiscard]] Result<> add_share_locked(const Share& share);
  // Writes state and place of a share whose row exists.
  [[nodiscard]] Result<> place_share_locked(const Share& share);
  // Of a share that is still to be cut, each before its own parts.
  [[nodiscard]] Result<std::vector<Share>> parts_locked(const Share& cut);
  // One that was planned or begun.
  [[nodiscard]] Result<> give_up_locked(Share part);
  [[nodiscard]] Result<> give_up_parts_locked(const Share& old, const ShareId& parent,
                                              std::span<const Share> parts);
  [[nodiscard]] Result<> settle_generation_locked(const Object& found);
  // A share that stands, or whose parts stand, at its place; what stood there goes.
  [[nodiscard]] Result<> settle_share_locked(const Share& share);
  [[nodiscard]] Result<> check_idle_locked(const ObjectId& object);
  // A share that its last site is to delete.
  [[nodiscard]] Result<> settle_spare_locked(const Share& share);
  [[nodiscard]] Result<std::vector<Sighting>> sightings_locked(const ObjectId& object);
  // Errors: kBusy when more is known.
  [[nodiscard]] Result<> check_reckoned_locked(const ObjectId& object,
                                               std::span<const Sighting> reckoned);
  [[nodiscard]] Result<> add_sightings_locked(const ObjectId& object, const JobId& job,
                                              std::span<const Sighting> sightings);
  [[nodiscard]] Result<> reseal_locked(const char* table, const char* key,
                                       const std::function<Result<Bytes>(ByteView sealed)>& seal);
  [[nodiscard]] Result<Job> job_locked(const JobId& job);
  [[nodiscard]] Result<> add_job_locked(const Job& job);
  [[nodiscard]] Result<> order_locked(const CardOrder& order, std::span<const SiteName> sites);
  [[nodiscard]] Result<Grant> grant_locked(const GrantId& grant);
  [[nodiscard]] Result<Request> request_locked(const RequestId& request);
  [[nodiscard]] Result<> add_person_locked(const Person& person);
  [[nodiscard]] Result<> replace_card_locked(const std::string& person_id, const CardId& card);
  [[nodiscard]] Result<> set_pseudonym_locked(const std::string& person_id,
                                              const SitePseudonym& pseudonym);
  [[nodiscard]] Result<EnrolmentOrder> enrolment_locked(const EnrolmentId& order);
  // Errors: kAlreadyExists, kBusy, kNotFound: what stands in the order's way.
  [[nodiscard]] Result<> check_enrolment_locked(const EnrolmentOrder& order);

  os::FileSystem& files_;
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

// Reads every row of a statement with `read_row`, which takes the columns in order.
template <typename Record, typename ReadRow>
[[nodiscard]] Result<std::vector<Record>> read_rows(Statement& statement, ReadRow read_row) {
  std::vector<Record> records;
  while (true) {
    TRY_ASSIGN(const bool row, statement.step());
    if (!row) return records;
    records.push_back(read_row(statement));
    TRY(statement.check_row());
  }
}

// Reads the only row, if there is one.
template <typename Record, typename ReadRow>
[[nodiscard]] Result<std::optional<Record>> read_row_if_any(Statement& statement,
                                                            ReadRow read_row) {
  TRY_ASSIGN(const bool row, statement.step());
  if (!row) return std::nullopt;
  Record record = read_row(statement);
  TRY(statement.check_row());
  return std::optional<Record>(std::move(record));
}

}  // namespace warifu::catalog
