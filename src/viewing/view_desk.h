// Views of regions: opened under a person's consent, looked at by htsget, ended in time.
//
// Opening takes one use of a consent to regions: the restore path fetches their chunks once, past
// every holder's gate, and the exact records stay in locked memory (held_file.h). Whatever is
// looked at later takes no key and asks no holder. A view ends at its time, at the consent's, by
// order, when the consent is withdrawn here, and with the site; its memory is wiped then.
//
// Invariants: a token is known to whoever opened the view and to nobody else, the desk keeps its
// SHA-256; nothing is given before the log says so. Ownership: everything given in must outlive it.
// Thread-safe; one thread of its own between start() and stop().
#pragma once

#include <condition_variable>
#include <thread>

#include "control/restore_desk.h"
#include "viewing/prepared.h"
#include "viewing/traffic.h"
#include "viewing/view.h"

namespace warifu::viewing {

inline constexpr unsigned kCutsAtOnce = 4;              // processes
inline constexpr std::chrono::seconds kWaitForCut{20};  // for one of them
inline constexpr unsigned kRefusalsAnHour = 200;        // that are in the log

struct ViewWish {
  GrantId grant;
  consent::Grantee grantee;    // who looks
  consent::Statements stated;  // what the use will be
  std::string purpose;         // claimed; empty: the grant's
  consent::Scope scope;        // regions; none: all that the consent is for
  htsget::Mode mode = htsget::Mode::kStrict;
  std::chrono::seconds life{};  // zero: as long as the site's settings and the consent allow
  std::string opened_by;
};

struct ViewStatus {
  ViewTerms terms;
  htsget::Datatype datatype = htsget::Datatype::kReads;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // of the file in memory
  std::uint64_t requests = 0;
  std::uint64_t answers_given = 0;  // with records
  std::uint64_t bytes_given = 0;
};

struct OpenedView {
  ViewStatus status;
  std::string token;  // 64 hexadecimal digits; whoever has it wipes it
};

// What a ticket says beside its URLs.
struct Offer {
  bool clipped = false;
  std::string md5;  // of what its URLs give together, in hexadecimal; empty: it was not made yet
};

// What a URL of a ticket gives.
struct Given {
  std::shared_ptr<View> view;  // keeps `head` alive
  ByteView head;               // of a header
  Prepared::Answer piece;      // of a body
  bool clipped = false;
  [[nodiscard]] ByteView bytes() const { return head.empty() ? piece->file.bytes() : head; }
};

class ViewDesk {
 public:
  ViewDesk(control::SiteContext& site, catalog::Catalog& catalog, control::RestoreDesk& restore);
  ~ViewDesk() { stop(); }
  ViewDesk(const ViewDesk&) = delete;
  ViewDesk& operator=(const ViewDesk&) = delete;

  void start();
  // What is being opened or cut gives up.
  void interrupt() { stopping_ = true; }
  // Ends every view. Idempotent.
  void stop();

  // Takes minutes where key is scarce. Errors: as a restore's; kInvalidArgument (the consent is
  // for no regions), kBusy (too many views), with no use taken; kNoSpace: the records would not fit
  // into the memory, which is known before a use is taken, or, under a consent to the whole, when
  // its index has been read. The use is kept then: the next opening goes on under it.
  [[nodiscard]] Result<OpenedView> open(const ViewWish& wish);
  [[nodiscard]] std::vector<ViewStatus> list();
  // Reference sequence within its regions (viewing/reference.h). Errors: kNotFound; of the file.
  [[nodiscard]] Result<std::string> reference(const ViewId& id);
  // Errors: kNotFound.
  [[nodiscard]] Result<ViewStatus> end(const ViewId& id);
  [[nodiscard]] const Budget& memory() const { return budget_; }
  // What requests are counted in by whoever answers them.
  [[nodiscard]] Traffic& traffic() { return traffic_; }
  [[nodiscard]] ViewFigures figures();

  // The view that a token opens, if it is of that object. Errors: kInvalidAuthentication (no such
  // token), kNotFound (another object, or other data than that).
  [[nodiscard]] htsget::Answer<std::shared_ptr<View>> find(std::string_view token,
                                                           htsget::Datatype datatype,
                                                           std::string_view object);
  // Whether it may be given. A small answer is made at once and waits for its URL to be fetched.
  // Errors: of judge() and View::count(), kUnavailable.
  [[nodiscard]] htsget::Answer<Offer> ask(View& view, const htsget::Request& request);
  [[nodiscard]] htsget::Answer<Given> give(const std::shared_ptr<View>& view,
                                           const htsget::DataRequest& wanted);

 private:
  struct Plan {
    catalog::Grant record;
    consent::Grant grant;
    ViewTerms terms;
  };
  class Cutting;
  Result<OpenedView> try_open(const ViewWish& wish);
  Result<Plan> plan_of(const ViewWish& wish);
  Result<> make_room(Records::Source& source, const control::RegionReading& reading);
  Result<Records::Source> restore(const ViewWish& wish, Plan& plan);
  Result<std::vector<GrantId>> grants_of(const catalog::Grant& record, const consent::Grant& grant);
  // Why it must end now; empty: it need not.
  std::string why_end(const View& view, os::UnixMs now);
  void close(const std::shared_ptr<View>& view, const std::string& why);
  void sweep();
  void run(const std::stop_token& stop);
  [[nodiscard]] static ViewStatus status_of(View& view);
  htsget::Answer<htsget::Verdict> judged(View& view, const htsget::Request& request);
  std::string prepare(View& view, const htsget::Request& request,
                      const std::vector<genome::NamedRegion>& regions);
  Result<> make(Given& given, const htsget::DataRequest& wanted,
                const std::vector<genome::NamedRegion>& regions);
  void note_refusal();
  // A line about the view, before anything that it tells of is done.
  [[nodiscard]] htsget::Answer<bool> note(const View& view, std::string_view event,
                                          audit::Fields fields);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  control::RestoreDesk& restore_;
  Budget budget_;
  Prepared prepared_;
  Traffic traffic_;
  std::atomic<std::uint64_t> opened_ = 0;
  std::atomic<std::uint64_t> not_opened_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::condition_variable cut_ended_;
  unsigned cutting_ = 0;
  std::vector<std::shared_ptr<View>> views_;
  std::size_t opening_ = 0;
  std::chrono::nanoseconds hour_{};
  unsigned refusals_ = 0;  // in that hour
  std::jthread thread_;
};

}  // namespace warifu::viewing
