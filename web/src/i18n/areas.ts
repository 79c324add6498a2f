// All texts. Each page keeps its own in a file messages.ts beside it, which is named here.
import { kiosk_enrol } from "../kiosk/enrol_messages";
import { kiosk } from "../kiosk/messages";
import { log_events } from "../pages/audit/event_messages";
import { audit } from "../pages/audit/messages";
import { jobs } from "../pages/jobs/messages";
import { network } from "../pages/network/messages";
import { desk } from "../pages/people/desk_messages";
import { people } from "../pages/people/messages";
import { proposals } from "../pages/proposals/messages";
import { requests } from "../pages/requests/messages";
import { risk } from "../pages/risk/messages";
import { failure } from "../ui/failure_messages";
import { viewer } from "../viewer/messages";
import { common } from "./common";

export const areas = { common, failure, network, jobs, audit, requests, risk, log_events, people, viewer, desk, kiosk, kiosk_enrol, proposals };
