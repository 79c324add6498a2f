// All pages: their addresses, their places in the navigation, and the roles that they are for.
// A page is loaded when it is first shown; its component gets the parameters of its address.
import type { ComponentType } from "preact";
import type { Key } from "../i18n";
import type { Role } from "../lib/session";

export interface PageProps {
  parameters: Record<string, string>;
}
export interface Page {
  path: string;
  title: Key;
  /** In the navigation; pages of one thing are reached from its list. */
  in_navigation: boolean;
  /** Any of them; left out: everybody. */
  roles?: readonly Role[];
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const pages: Page[] = [
  {
    path: "/",
    title: "nav.overview",
    in_navigation: true,
    load: () => import("./overview/overview"),
  },
  {
    path: "/network",
    title: "nav.network",
    in_navigation: true,
    load: () => import("./network/network"),
  },
  {
    path: "/jobs",
    title: "nav.jobs",
    in_navigation: true,
    roles: ["biobank", "hospital", "auditor"],
    load: () => import("./jobs/jobs"),
  },
  {
    path: "/requests",
    title: "nav.requests",
    in_navigation: true,
    roles: ["hospital", "biobank", "auditor"],
    load: () => import("./requests/requests"),
  },
  {
    path: "/requests/:request",
    title: "requests.one",
    in_navigation: false,
    roles: ["hospital", "biobank", "auditor"],
    load: () => import("./requests/request"),
  },
  {
    path: "/requests/:request/risk",
    title: "risk.title",
    in_navigation: false,
    roles: ["hospital"],
    load: () => import("./risk/risk"),
  },
  {
    path: "/people",
    title: "nav.people",
    in_navigation: true,
    roles: ["biobank", "hospital", "officer"],
    load: () => import("./people/people"),
  },
  {
    path: "/people/:person",
    title: "people.one",
    in_navigation: false,
    roles: ["biobank", "hospital", "officer"],
    load: () => import("./people/person"),
  },
  {
    path: "/approvals",
    title: "nav.approvals",
    in_navigation: true,
    roles: ["biobank", "hospital", "key_operator", "auditor", "officer"],
    load: () => import("./proposals/proposals"),
  },
  {
    path: "/log",
    title: "nav.audit",
    in_navigation: true,
    roles: ["auditor", "officer"],
    load: () => import("./audit/audit"),
  },
  {
    path: "/session",
    title: "nav.account",
    in_navigation: true,
    load: () => import("./account/account"),
  },
];
