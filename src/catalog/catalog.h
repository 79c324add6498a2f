// Share control's records: who, what, where, and what is being done. Abstract, so that another
// database can take SQLite's place.
//
// Promises:
// - a call that returned without error is durable; a call that changes several rows changes all of
//   them or none, whatever crashes;
// - the location of every share of a committed object is one truth at any moment: move_location()
//   passes from a share to its nested shares in one step;
// - states go only forward: a deleted share, a finished job and a used grant stay so.
//
// Errors of every call beside those named: kIo, kNoSpace, kBusy (another program holds the
// database), kCorrupt naming the database. Texts name what failed: "person 'P-1' is not enrolled".
// A database that fails to sync ends the process, as os/files.h does.
// Thread rule: every call may be made by any thread; calls are done one after the other.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "catalog/records.h"
#include "os/files.h"

namespace warifu::catalog {

// A job with what it will make, recorded in one step.
struct NewJob {
  Job job;
  std::optional<Object> object;  // a new object
  std::vector<Share> shares;     // planned shares of this or an older object
};

// An object as its shares at the sites tell it (catalog rebuild).
struct FoundObject {
  Object object;              // committed
  std::vector<Share> shares;  // durable at their sites; parents that were cut: without a site
  std::vector<Share> spare;   // held somewhere and of no use: to be deleted by their last sites
  std::vector<Sighting> sightings;
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  // --- persons ------------------------------------------------------------------------------
  // Errors: kInvalidArgument, kAlreadyExists (the person id, or the card, is taken).
  [[nodiscard]] virtual Result<> add_person(const Person& person) = 0;
  // The same, with the pseudonyms, in one step. Errors: the same, and set_pseudonym()'s.
  [[nodiscard]] virtual Result<> enrol_person(const Person& person,
                                              std::span<const SitePseudonym> pseudonyms) = 0;
  // Errors: kNotFound.
  [[nodiscard]] virtual Result<Person> person(const std::string& person_id) = 0;
  [[nodiscard]] virtual Result<Person> person_of_card(const CardId& card) = 0;
  // By person id. A text in `search` must stand in id or name; empty: all. Errors:
  // kInvalidArgument.
  [[nodiscard]] virtual Result<std::vector<Person>> list_persons(const std::string& search,
                                                                 const Page& page) = 0;
  // A new card for a lost one; no object's record is on it yet. Errors: kNotFound, kAlreadyExists
  // (another person's), kInvalidArgument.
  [[nodiscard]] virtual Result<> replace_card(const std::string& person_id, const CardId& card) = 0;
  // The same, with pseudonyms at sites that are new, in one step. Errors: of both.
  [[nodiscard]] virtual Result<> reissue_card(const std::string& person_id, const CardId& card,
                                              std::span<const SitePseudonym> pseudonyms) = 0;
  // A person has one pseudonym at a site; telling the same again is no error.
  // Errors: kNotFound, kAlreadyExists, kInvalidArgument.
  [[nodiscard]] virtual Result<> set_pseudonym(const std::string& person_id,
                                               const SitePseudonym& pseudonym) = 0;
  // By site. Errors: kNotFound (the person).
  [[nodiscard]] virtual Result<std::vector<SitePseudonym>> pseudonyms(
      const std::string& person_id) = 0;
  [[nodiscard]] virtual Result<Person> person_of_pseudonym(const SitePseudonym& pseudonym) = 0;

  // --- sites --------------------------------------------------------------------------------
  // New or changed. Errors: kInvalidArgument, kAlreadyExists (the number is another site's).
  [[nodiscard]] virtual Result<> put_site(const Site& site) = 0;
  // By number.
  [[nodiscard]] virtual Result<std::vector<Site>> list_sites() = 0;

  // --- objects ------------------------------------------------------------------------------
  // Only in state storing. Errors: kInvalidArgument, kNotFound (the person), kAlreadyExists.
  [[nodiscard]] virtual Result<> add_object(const Object& object) = 0;
  [[nodiscard]] virtual Result<Object> object(const ObjectId& object) = 0;
  // Committed objects of which a share is in use at that site, ascending by id behind `after`; at
  // most `count`.
  [[nodiscard]] virtual Result<std::vector<ObjectId>> objects_at(const SiteName& site,
                                                                 const ObjectId& after,
                                                                 std::uint64_t count) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> count_objects_at(const SiteName& site) = 0;
  // Policies of committed objects, each once.
  [[nodiscard]] virtual Result<std::vector<std::string>> policies() = 0;
  // Committed objects with that policy of which a share at one of these places is durable,
  // ascending by id behind `after`; at most `count`.
  [[nodiscard]] virtual Result<std::vector<ObjectId>> objects_with_share_at(
      const std::string& policy, std::span<const sharing::SharePath> places, const ObjectId& after,
      std::uint64_t count) = 0;
  // Newest first. Errors: kInvalidArgument.
  [[nodiscard]] virtual Result<std::vector<Object>> list_objects(const ObjectFilter& filter,
                                                                 const Page& page) = 0;
  // Storing -> committed, when each share of the object's cut is durable or was cut into shares of
  // which the same is true. Again for a committed object: no error. Errors: kNotFound,
  // kInvalidArgument naming the share that is missing.
  [[nodiscard]] virtual Result<> commit_object(const ObjectId& object, os::UnixMs now) = 0;
  // Storing -> failed, with all of its shares delete_pending: of planned ones too sites may keep a
  // beginning. Again for a failed object: no error. Errors: kNotFound, kInvalidArgument.
  [[nodiscard]] virtual Result<> fail_object(const ObjectId& object) = 0;
  // -> deleted, with all of its shares delete_pending (planned ones: deleted) and its open grants
  // withdrawn. Errors: kNotFound.
  [[nodiscard]] virtual Result<> delete_object(const ObjectId& object) = 0;
  [[nodiscard]] virtual Result<> set_card_record(const ObjectId& object, CardRecordState state) = 0;

  // --- shares -------------------------------------------------------------------------------
  // Of one or more objects, all or none. Errors: kInvalidArgument, kNotFound (object, parent),
  // kAlreadyExists (the id, or a live share of the same place in the tree).
  [[nodiscard]] virtual Result<> add_shares(std::span<const Share> shares) = 0;
  // The same, and who will come to see what of the object on their ways, in one step: a plan of
  // which only the sightings were kept would make sites know what nobody ever showed to them.
  // `reckoned`: as for add_sightings(). Errors: those of both.
  [[nodiscard]] virtual Result<> plan_shares(const ObjectId& object, const JobId& job,
                                             std::span<const Share> shares,
                                             std::span<const Sighting> sightings,
                                             std::span<const Sighting> reckoned) = 0;
  [[nodiscard]] virtual Result<Share> share(const ShareId& share) = 0;
  // All there ever were: by generation, steps of their paths, path.
  [[nodiscard]] virtual Result<std::vector<Share>> list_shares(const ObjectId& object) = 0;
  // Forward only; the same state again is no error. -> deleted forgets the site.
  // Errors: kNotFound, kInvalidArgument.
  [[nodiscard]] virtual Result<> set_share_state(const ShareId& share, ShareState state) = 0;
  // What is known when it has arrived. Errors: kNotFound, kInvalidArgument.
  [[nodiscard]] virtual Result<> set_share_travel(const ShareId& share, const std::string& route,
                                                  const std::string& protections) = 0;
  // The parent, durable until now, is no longer kept: delete_pending, site none; its nested
  // shares, writing or durable, are durable. Again after it was done: no error. Errors: kNotFound,
  // kInvalidArgument when `nested` is not exactly the parent's cut, each share at another site.
  [[nodiscard]] virtual Result<> move_location(const ShareId& parent,
                                               std::span<const ShareId> nested) = 0;
  // `fresh` takes the place of `old` in one step: the old one becomes delete_pending, site none,
  // and the new one, which must be new, is durable at its site. Where the old one was still to be
  // cut, its parts, and theirs, are given up (planned ones: deleted; else delete_pending), and
  // `parts`, planned, each behind its parent, stand in their places. Again after it was done: no
  // error. Errors: kNotFound (old), kAlreadyExists, kInvalidArgument unless the old one is durable,
  // both stand at one place of the tree, and `parts` has just the places of those given up.
  [[nodiscard]] virtual Result<> replace_share(const ShareId& old, const Share& fresh,
                                               std::span<const Share> parts) = 0;
  // The parts of a share that is still to be cut, and theirs, are given up, and `parts` stand in
  // their places, as replace_share() does it. Errors: kNotFound, kInvalidArgument unless `parent`
  // is durable and `parts` has just those places.
  [[nodiscard]] virtual Result<> replace_parts(const ShareId& parent,
                                               std::span<const Share> parts) = 0;
  // They are given up, and nothing is planned in their places. Again, or without parts: no error.
  // Errors: kNotFound, kInvalidArgument unless `parent` is durable.
  [[nodiscard]] virtual Result<> give_up_parts(const ShareId& parent) = 0;
  // All shares of `generation`, writing until now, become durable, those of older generations
  // delete_pending, and the object is of that generation, in one step; what sites have seen is from
  // then on `sightings` and nothing else, which were made out of `reckoned`. Again after it was
  // done: no error. Errors: kBusy when more than `reckoned` was known by now; kNotFound (object,
  // job), kInvalidArgument unless the object is committed and each of its durable shares has one of
  // that generation at the same place and site.
  [[nodiscard]] virtual Result<> commit_generation(const ObjectId& object, std::uint32_t generation,
                                                   const JobId& job,
                                                   std::span<const Sighting> sightings,
                                                   std::span<const Sighting> reckoned) = 0;
  // The share's last site has deleted it. Errors: kNotFound, kInvalidArgument unless
  // delete_pending.
  [[nodiscard]] virtual Result<> mark_deleted(const ShareId& share) = 0;
  // Shares that their last_site has still to delete.
  [[nodiscard]] virtual Result<std::vector<Share>> pending_deletions() = 0;

  // --- jobs ---------------------------------------------------------------------------------
  // Errors: kInvalidArgument, kAlreadyExists, kNotFound (person, object, parent share).
  [[nodiscard]] virtual Result<> start_job(const NewJob& job) = 0;
  [[nodiscard]] virtual Result<Job> job(const JobId& job) = 0;
  // Newest first. Errors: kInvalidArgument.
  [[nodiscard]] virtual Result<std::vector<Job>> list_jobs(const JobFilter& filter,
                                                           const Page& page) = 0;
  // Waiting, running and paused ones, oldest first.
  [[nodiscard]] virtual Result<std::vector<Job>> unfinished_jobs() = 0;
  // Those of one object.
  [[nodiscard]] virtual Result<std::vector<Job>> unfinished_jobs_of(const ObjectId& object) = 0;
  // Errors: kNotFound, kInvalidArgument (also when the job is finished).
  [[nodiscard]] virtual Result<> update_job(const JobId& job, const JobProgress& progress) = 0;
  [[nodiscard]] virtual Result<> set_job_plan(const JobId& job, const std::string& plan) = 0;
  // Errors: kNotFound, kInvalidArgument (the job is finished).
  [[nodiscard]] virtual Result<> set_job_priority(const JobId& job, JobPriority priority) = 0;
  // Empty: erased. Allowed after the end too.
  [[nodiscard]] virtual Result<> set_job_secret(const JobId& job, const Bytes& sealed) = 0;

  // --- grants -------------------------------------------------------------------------------
  // Errors: kInvalidArgument, kNotFound (object, person), kAlreadyExists.
  [[nodiscard]] virtual Result<> add_grant(const Grant& grant) = 0;
  [[nodiscard]] virtual Result<Grant> grant(const GrantId& grant) = 0;
  // Newest first. Errors: kInvalidArgument.
  [[nodiscard]] virtual Result<std::vector<Grant>> list_grants(const GrantFilter& filter,
                                                               const Page& page) = 0;
  // From given to another state, once; the same state again is no error. Leaving `given` erases the
  // sealed secret. Errors: kNotFound, kInvalidArgument.
  [[nodiscard]] virtual Result<> set_grant_state(const GrantId& grant, GrantState state) = 0;

  // --- requests for consents -----------------------------------------------------------------
  // Errors: kInvalidArgument, kNotFound (object, person), kAlreadyExists; kBusy when as many wait
  // for the person as kMaxOpenRequests.
  [[nodiscard]] virtual Result<> add_request(const Request& request) = 0;
  [[nodiscard]] virtual Result<Request> request(const RequestId& request) = 0;
  // Newest first. Errors: kInvalidArgument.
  [[nodiscard]] virtual Result<std::vector<Request>> list_requests(const RequestFilter& filter,
                                                                   const Page& page) = 0;
  // That grant is made for the request: once it is given, so is the request. Errors: kNotFound;
  // kRefused naming its state unless it is asked at `now`.
  [[nodiscard]] virtual Result<> offer_grant(const RequestId& request, const GrantId& grant,
                                             os::UnixMs now) = 0;
  // From asked to refused or cancelled; the same state again is no error. Errors: kNotFound,
  // kInvalidArgument, kRefused naming its state.
  [[nodiscard]] virtual Result<> decide_request(const RequestId& request, RequestState state,
                                                const std::string& why, os::UnixMs now) = 0;

  // --- enrolment orders ----------------------------------------------------------------------
  // Errors: kInvalidArgument; kNotFound (again: the person); kAlreadyExists (else the person is
  // enrolled; an order for the person, or with this code, waits already); kBusy when as many wait
  // as kMaxOpenEnrolments.
  [[nodiscard]] virtual Result<> add_enrolment(const EnrolmentOrder& order) = 0;
  [[nodiscard]] virtual Result<EnrolmentOrder> enrolment(const EnrolmentId& order) = 0;
  // The one that can be begun at `now`. Errors: kNotFound.
  [[nodiscard]] virtual Result<EnrolmentOrder> enrolment_by_code(const std::string& code,
                                                                 os::UnixMs now) = 0;
  // Newest first. Errors: kInvalidArgument.
  [[nodiscard]] virtual Result<std::vector<EnrolmentOrder>> list_enrolments(const Page& page) = 0;
  // This card is begun for the order: once it is the person's, the order is done. Errors:
  // kNotFound; kRefused naming its state unless it can be begun at `begun`.
  [[nodiscard]] virtual Result<> begin_enrolment(const EnrolmentCard& card) = 0;
  // As it was begun last. Errors: kNotFound.
  [[nodiscard]] virtual Result<EnrolmentCard> enrolment_card(const CardId& card) = 0;
  // Again: no error. Errors: kNotFound, kRefused naming its state.
  [[nodiscard]] virtual Result<> cancel_enrolment(const EnrolmentId& order, os::UnixMs now) = 0;
  // Errors: kNotFound, kInvalidArgument.
  [[nodiscard]] virtual Result<> set_enrolment_trouble(const EnrolmentId& order,
                                                       const std::string& trouble) = 0;

  // --- cards ----------------------------------------------------------------------------------
  // The grant of that card is withdrawn, and each of `sites` is to be told, in one step; one that
  // is withdrawn already: nothing. Errors: kNotFound, kInvalidArgument (it has expired or is used
  // up; no sites).
  [[nodiscard]] virtual Result<> withdraw_grant(const GrantId& grant, const CardId& card,
                                                std::span<const SiteName> sites,
                                                os::UnixMs now) = 0;
  // The person's card is revoked, the consents that it gave are withdrawn, and each of `sites` is
  // to be told, in one step; a card that is revoked already: nothing. Errors: kNotFound (the
  // person), kInvalidArgument.
  [[nodiscard]] virtual Result<> revoke_card(const RevokedCard& card,
                                             std::span<const SiteName> sites) = 0;
  // The latest first.
  [[nodiscard]] virtual Result<std::vector<RevokedCard>> revoked_cards(
      const std::string& person_id) = 0;
  // What sites are still to be told, the oldest first.
  [[nodiscard]] virtual Result<std::vector<CardOrder>> card_orders() = 0;
  // The site has confirmed it; again: no error.
  [[nodiscard]] virtual Result<> finish_card_order(std::uint64_t number) = 0;

  // All of them are to be told, in one step; their numbers are given here. Errors: kNotFound (the
  // person), kInvalidArgument.
  [[nodiscard]] virtual Result<> add_person_orders(std::span<const PersonOrder> orders) = 0;
  // What sites are still to be told, the oldest first.
  [[nodiscard]] virtual Result<std::vector<PersonOrder>> person_orders() = 0;
  // The site has confirmed it, or refused it for good; again: no error.
  [[nodiscard]] virtual Result<> finish_person_order(std::uint64_t number) = 0;

  // --- records in safekeeping -----------------------------------------------------------------
  // Committed objects whose secret is here, in a job or an open grant, and not in safekeeping.
  [[nodiscard]] virtual Result<std::vector<UnkeptRecord>> unkept_records(std::size_t most) = 0;
  // It is in safekeeping. Again: no error. Errors: kNotFound.
  [[nodiscard]] virtual Result<> set_record_kept(const ObjectId& object, os::UnixMs now) = 0;
  [[nodiscard]] virtual Result<bool> is_record_kept(const ObjectId& object) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> kept_records() = 0;
  // Objects that are deleted while their records are still kept.
  [[nodiscard]] virtual Result<std::vector<ObjectId>> kept_records_of_deleted(std::size_t most) = 0;
  // No holder keeps it any more. Again: no error.
  [[nodiscard]] virtual Result<> forget_kept_record(const ObjectId& object) = 0;
  // A holder has lost what it kept: no record counts as kept any more.
  [[nodiscard]] virtual Result<> forget_kept_records() = 0;

  // --- spent key ----------------------------------------------------------------------------
  // Added to what the job has spent on the same links before, all or none.
  // Errors: kInvalidArgument, kNotFound (the job).
  [[nodiscard]] virtual Result<> add_link_use(const JobId& job, std::span<const LinkUse> uses) = 0;
  // Sums by from, to, class and origin.
  [[nodiscard]] virtual Result<std::vector<LinkUse>> link_use_of_job(const JobId& job) = 0;
  [[nodiscard]] virtual Result<std::vector<LinkUse>> link_use_of_object(const ObjectId& object) = 0;

  // --- exposure -----------------------------------------------------------------------------
  // Recorded before the bytes travel; what is known already stays. `reckoned`: all that was known
  // when it was judged whether these may be added. Errors: kBusy when more is known by now, which
  // has to be reckoned with; kInvalidArgument, kNotFound (object, job).
  [[nodiscard]] virtual Result<> add_sightings(const ObjectId& object, const JobId& job,
                                               std::span<const Sighting> sightings,
                                               std::span<const Sighting> reckoned) = 0;
  // By site and path.
  [[nodiscard]] virtual Result<std::vector<Sighting>> sightings(const ObjectId& object) = 0;

  // --- loss of the control site -------------------------------------------------------------
  // A consistent copy of everything in a new file, while other calls go on. Errors: kAlreadyExists,
  // kNoSpace, kIo; then no file is left.
  [[nodiscard]] virtual Result<> back_up(const std::string& path) = 0;
  // Becomes what such a copy holds, in one step. Errors: kRefused unless this catalog knows nobody,
  // kCorrupt, kInvalidArgument (a newer schema).
  [[nodiscard]] virtual Result<> take_over(const std::string& path) = 0;
  // Every sealed secret of jobs and grants becomes what `seal` makes of it, in one step; empty
  // erases it. Errors: those of `seal`.
  [[nodiscard]] virtual Result<> reseal(
      const std::function<Result<Bytes>(ByteView sealed)>& seal) = 0;
  // The truth about one object, in one step: it is committed (a failed or unfinished one becomes
  // so, a deleted one stays), its shares are where `found` says, and what stood at their places
  // before is to be deleted. Again: no error. Errors: kNotFound (the person, the job), kBusy while
  // another job but a restore works on the object, kInvalidArgument.
  [[nodiscard]] virtual Result<> settle_found(const FoundObject& found, const JobId& job) = 0;

  // Every page and every rule of the records. Slow. Errors: kCorrupt telling the first findings.
  [[nodiscard]] virtual Result<> integrity_check() = 0;
};

// Opens the database file, or makes it when it is not there (its folder must be). Errors: kCorrupt
// when it is damaged or no catalog, kInvalidArgument when it is of a newer version, kIo, kBusy.
// `files` is where SQLite's own default file system lies too; it must outlive the catalog.
[[nodiscard]] Result<std::unique_ptr<Catalog>> open_sqlite(
    const std::string& path, os::FileSystem& files = os::real_files());

}  // namespace warifu::catalog
