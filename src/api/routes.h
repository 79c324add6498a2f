// The local HTTP API of a site: routes and JSON, no logic (docs/api.md).
//
// Served on a Unix socket of mode 0600: whoever may open it is the local operator; or, where the
// configuration names operators, there and over TLS behind operators::Gate. Errors are
// {"message": text, "code": name} with a fitting status.
#pragma once

#include "control/card_ceremonies.h"
#include "control/consent_desk.h"
#include "control/enrolment.h"
#include "control/region_desk.h"
#include "control/restore_desk.h"
#include "control/upload_desk.h"
#include "custody/card_desk.h"
#include "custody/consent_intake.h"
#include "custody/emergency_desk.h"
#include "custody/people_desk.h"
#include "http/server.h"
#include "kme/disk_intakes.h"
#include "kme/key_streams.h"
#include "kme/sae_keys.h"
#include "recovery/copy_keeper.h"
#include "recovery/recovery_desk.h"
#include "scoring/score_desk.h"
#include "upkeep/log_keeper.h"
#include "upkeep/refresh_scheduler.h"
#include "upkeep/reshare_scheduler.h"
#include "upkeep/scrubber.h"
#include "upkeep/upkeep_desk.h"

namespace warifu::operators {
class Gate;
}
namespace warifu::web {
class Sessions;
}
namespace warifu::viewing {
class ViewDesk;
}

namespace warifu::api {

// Share control; only at the control site.
struct ControlServices {
  catalog::Catalog& catalog;
  control::Enrolment& enrolment;
  control::StoreDesk& store;
  control::ConsentDesk& consent;
  control::RestoreDesk& restore;
  control::RegionDesk& regions;
  upkeep::UpkeepDesk& upkeep;
  control::JobEngine& jobs;
  recovery::RecoveryDesk& recovery;
  upkeep::AuditDesk& audits;
  upkeep::RefreshScheduler& refreshes;
  upkeep::ReshareScheduler& reshares;
  control::CardCeremonies& ceremonies;
  custody::RecordKeeper& records;
  custody::CardDesk& cards;
  custody::PeopleDesk& people;
  custody::CardActs& acts;
  custody::EmergencyDesk& emergencies;
  custody::ConsentIntake intake;
  control::UploadDesk& uploads;
  scoring::ScoreDesk& scores;
  viewing::ViewDesk& views;
};

class EventHub;

struct Services {
  control::SiteContext& site;
  control::ShareService& shares;
  ControlServices* control = nullptr;      // nullptr at other sites
  kme::RandomFiller* random = nullptr;     // nullptr: no sources fill the random pool
  kme::SaeKeys* saes = nullptr;            // nullptr where no keys are given to applications
  kme::KeyStreams* streams = nullptr;      // nullptr where there are no key streams
  kme::DiskIntakes* disks = nullptr;       // nullptr where only metrics are served
  recovery::CopyKeeper* copies = nullptr;  // the same
  upkeep::Scrubber* scrubber = nullptr;    // never nullptr once the site runs
  upkeep::LogKeeper* logs = nullptr;       // nullptr where only metrics are served
  operators::Gate* operators = nullptr;    // nullptr: everybody at the socket may do everything
  web::Sessions* sessions = nullptr;       // nullptr: no pages on loopback
  EventHub* events = nullptr;              // nullptr where only metrics are served
};

// The caller sets the gatekeeper. All of `services` must outlive the server that gets the router.
[[nodiscard]] http::Router make_router(Services services);

// The parts, each in a file of its own.
void add_site_routes(http::Router& router, Services services);
void add_key_routes(http::Router& router, Services services);
// GET /metrics alone, for a listener of its own.
void add_metrics_route(http::Router& router, Services services);
void add_catalog_routes(http::Router& router, Services services);
void add_disk_routes(http::Router& router, Services services);
void add_person_routes(http::Router& router, Services services);
// What the biobank's desk orders, and terminals carry out.
void add_enrolment_routes(http::Router& router, Services services);
void add_card_routes(http::Router& router, Services services);
// Signature cards: enrolment, another one in the place of a lost card, consents.
void add_signature_routes(http::Router& router, Services services);
void add_object_routes(http::Router& router, Services services);
void add_upkeep_routes(http::Router& router, Services services);
// Audits of objects, and reading over the shares of this site.
void add_audit_routes(http::Router& router, Services services);
void add_log_routes(http::Router& router, Services services);
void add_consent_routes(http::Router& router, Services services);
// Uploads that go on after a connection was lost.
void add_upload_routes(http::Router& router, Services services);
// What is asked of persons before there is a consent.
void add_request_routes(http::Router& router, Services services);
// Where genes lie, by the first letters of their names.
void add_gene_routes(http::Router& router);
// Withdrawals, the hot list, another card in the place of a lost one, records in safekeeping.
void add_custody_routes(http::Router& router, Services services);
// More one-time keys for a card; what the person allows in emergencies.
void add_act_routes(http::Router& router, Services services);
// Proxies, guardians, deaths.
void add_people_routes(http::Router& router, Services services);
void add_restore_routes(http::Router& router, Services services);
// Scores and risks under a consent, and what is known of it as FHIR documents.
void add_risk_routes(http::Router& router, Services services);
// Views of regions, and htsget (docs/htsget.md), where a view's token is the only authority.
void add_view_routes(http::Router& router, Services services);
// `anonymous_tls`: the listener has TLS and its clients no certificates.
void add_htsget_routes(http::Router& router, Services services, bool anonymous_tls = false);
void add_sae_routes(http::Router& router, Services services);
void add_stream_routes(http::Router& router, Services services);
void add_switch_routes(http::Router& router, Services services);
// Who works with the site.
void add_operator_routes(http::Router& router, Services services);
// Pages, logins of browsers, and server-sent events.
void add_web_routes(http::Router& router, Services services);

}  // namespace warifu::api
