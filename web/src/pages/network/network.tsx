// Network operations: the map, its tables, one link in full, where an object is, jobs, alerts.
import { useMemo, useRef } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./network.css";
import { useTexts } from "../../i18n";
import { bytes, duration, listed, rate } from "../../lib/format";
import { connection, type SiteRow, tables } from "../../lib/live";
import { set_query, usePlace } from "../../lib/router";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Badge, Loading, Panel } from "../../ui/basic";
import { Failure } from "../../ui/failure";
import { DataTable } from "../../ui/table";
import { is_active, JobList } from "../jobs/list";
import { Alerts } from "./alerts";
import { HealthBadge, LinkDetails, useLeft } from "./details";
import { Legend, NetworkMap } from "./map";
import { link_of, type NetLink, places, type Trend } from "./model";
import { PlacementPanel, usePlacement } from "./placement";

function choose(id: string): void {
  set_query("link", id);
}

function SiteTable(props: { sites: SiteRow[] }) {
  const { t, name } = useTexts();
  const tones = { up: "good", silent: "bad", unknown: "plain" } as const;
  return (
    <DataTable
      caption={t("network.sites")}
      empty={t("network.no_sites")}
      rows={props.sites}
      columns={[
        { name: t("network.site"), cell: (site) => site.site, by: (site) => site.site },
        {
          name: t("network.state"),
          by: (site) => site.state,
          cell: (site) => (
            <>
              <Badge tone={tones[site.state]}>{name("site", site.state)}</Badge>
              {site.why && (
                <div class="note">
                  <Failure code={site.code} reason={site.reason} message={site.why} />
                </div>
              )}
            </>
          ),
        },
        {
          name: t("network.role"),
          cell: (site) =>
            listed(
              [
                site.controller && t("network.controller"),
                site.own && t("network.own"),
                !site.accepts_shares && t("network.no_shares"),
              ].filter((one) => one !== false),
            ),
        },
        { name: t("network.region"), cell: (site) => site.region || "–", by: (site) => site.region },
        { name: t("network.labels"), cell: (site) => listed(site.labels) },
        {
          name: t("network.free"),
          cell: (site) => (site.free_bytes === null ? "–" : bytes(site.free_bytes)),
          by: (site) => site.free_bytes ?? -1,
          numeric: true,
        },
      ]}
    />
  );
}

function LinkTable(props: { links: NetLink[]; chosen: string }) {
  const { t, name } = useTexts();
  const left = useLeft();
  return (
    <DataTable
      caption={t("network.links")}
      empty={t("network.no_links")}
      rows={props.links}
      chosen={props.chosen}
      columns={[
        {
          name: t("network.link"),
          by: (link) => link.id,
          cell: (link) => (
            <button type="button" class="as-link" aria-pressed={link.id === props.chosen} onClick={() => choose(link.id === props.chosen ? "" : link.id)}>
              {t("network.link_of", { a: link.a, b: link.b })}
            </button>
          ),
        },
        { name: t("network.class"), cell: (link) => name("class", link.class), by: (link) => link.class },
        { name: t("network.state"), cell: (link) => <HealthBadge health={link.health} />, by: (link) => link.health },
        {
          name: t("network.residual"),
          cell: (link) => (link.residual === null ? "–" : bytes(link.residual)),
          by: (link) => link.residual ?? -1,
          numeric: true,
        },
        {
          name: t("network.inflow"),
          cell: (link) => (link.ways[0].inflow === null ? "–" : rate(link.ways[0].inflow)),
          by: (link) => link.ways[0].inflow ?? -1,
          numeric: true,
        },
        { name: t("network.left"), cell: left, by: (link) => link.seconds_left ?? Infinity },
      ]}
    />
  );
}

/** Links with the figures of this moment; a link that has not changed stays the same object. */
function useLinks(own_site: string): NetLink[] {
  const edges = useStore(tables.edges);
  const own = useStore(tables.links);
  const trend = useRef<Trend>(new Map());
  return useMemo(
    () => [...edges.values()].map((edge) => link_of(edge, own_site, own, trend.current, Date.now())),
    [edges, own, own_site],
  );
}

export default function Network() {
  const { t } = useTexts();
  const who = useStore(session);
  const { query } = usePlace();
  const state = useStore(connection);
  const site_table = useStore(tables.sites);
  const sites = useMemo(() => [...site_table.values()], [site_table]);
  const links = useLinks(who?.site ?? "");
  const jobs = [...useStore(tables.jobs).values()];
  const find = (query.get("find") ?? "").toLowerCase();
  const chosen = query.get("link") ?? "";
  const object = query.get("object") ?? "";
  const names = sites.map((site) => site.site).join(" ");
  const spots = useMemo(() => {
    const degrees = new Map<string, number>();
    for (const link of links) {
      for (const end of [link.a, link.b]) degrees.set(end, (degrees.get(end) ?? 0) + 1);
    }
    return places(sites, degrees);
  }, [names, links.length]);
  const sees_objects = may(who, ["biobank", "hospital", "auditor"]) && who?.is_controller === true;
  const finished = jobs.filter((job) => !is_active(job)).map((job) => job.updated_ms);
  const placement = usePlacement(sees_objects, object, String(Math.max(0, ...finished)));
  if (sites.length === 0 && state === "wait") return <Loading />;
  const fits = (...texts: string[]) => texts.some((text) => text.toLowerCase().includes(find));
  const link = links.find((one) => one.id === chosen);
  return (
    <>
      <h1 tabIndex={-1}>{t("network.title")}</h1>
      <Panel title={t("network.map")}>
        <NetworkMap sites={sites} links={links} spots={spots} chosen={chosen} shares={placement.at} choose={choose} />
        <Legend />
        <p class="note">
          {who?.is_controller && who.look_seconds > 0
            ? t("network.looks", { duration: duration(who.look_seconds) })
            : t("network.no_looks", { controller: who?.controller ?? "" })}
        </p>
      </Panel>
      {link && <LinkDetails key={link.id} link={link} own_site={who?.site ?? ""} />}
      <div class="columns">
        <Panel title={t("overview.alerts")}>
          <Alerts />
        </Panel>
        {sees_objects && <PlacementPanel placement={placement} object={object} />}
      </div>
      {who?.is_controller && may(who, ["biobank", "hospital", "auditor"]) && (
        <Panel title={t("network.changes")}>
          <JobList jobs={jobs.filter(is_active)} empty={t("network.no_changes")} />
        </Panel>
      )}
      <div class="field find">
        <label for="find">{t("network.find")}</label>
        <input id="find" type="search" value={query.get("find") ?? ""} onInput={(event) => set_query("find", event.currentTarget.value)} />
      </div>
      <Panel title={t("network.links")}>
        <LinkTable links={links.filter((one) => fits(one.a, one.b, one.class))} chosen={chosen} />
      </Panel>
      <Panel title={t("network.sites")}>
        <SiteTable sites={sites.filter((one) => fits(one.site, one.region, ...one.labels))} />
      </Panel>
    </>
  );
}
