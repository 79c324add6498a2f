// The first page: is everything well, and what is going on.
import { useTexts } from "../../i18n";
import { bytes, count } from "../../lib/format";
import { connection, tables } from "../../lib/live";
import { useStore } from "../../lib/store";
import { Empty, Loading, Panel, type Tone } from "../../ui/basic";
import { Alerts } from "../network/alerts";
import { JobList, is_active } from "../jobs/list";

function Tile(props: { name: string; value: string; tone?: Tone }) {
  return (
    <div class={`tile tile-${props.tone ?? "plain"}`}>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}

export default function Overview() {
  const { t } = useTexts();
  const state = useStore(connection);
  const own = useStore(tables.site).get("site");
  const sites = [...useStore(tables.sites).values()];
  const links = [...useStore(tables.links).values()];
  const alerts = [...useStore(tables.alerts).values()];
  const jobs = [...useStore(tables.jobs).values()].filter(is_active);
  const up = sites.filter((one) => one.state === "up").length;
  const asked = sites.filter((one) => one.state !== "unknown").length;
  const ready = links.filter((one) => one.send.state === "ready" && one.receive.state === "ready").length;
  const serious = alerts.some((one) => one.severity === "serious");
  return (
    <>
      <h1 tabIndex={-1}>{t("overview.title")}</h1>
      {!own && state === "wait" && <Loading />}
      {own && (
        <>
          <dl class="tiles">
            <Tile
              name={t("overview.alerts")}
              value={count(alerts.length)}
              tone={serious ? "bad" : alerts.length ? "warn" : "good"}
            />
            <Tile
              name={t("overview.sites_up")}
              value={t("overview.of", { count: count(up), all: count(sites.length) })}
              tone={asked > up ? "bad" : "plain"}
            />
            <Tile
              name={t("overview.links_ready")}
              value={t("overview.of", { count: count(ready), all: count(links.length) })}
              tone={ready < links.length ? "warn" : "plain"}
            />
            {own.is_controller && <Tile name={t("overview.active_jobs")} value={count(jobs.length)} />}
            <Tile
              name={t("overview.shares")}
              value={`${count(own.shares)} (${bytes(own.share_bytes)})`}
            />
            <Tile name={t("overview.free")} value={bytes(own.free_bytes)} />
            <Tile name={t("overview.log")} value={count(own.log_records)} />
          </dl>
          <Panel title={t("overview.alerts")}>
            <Alerts />
          </Panel>
          <Panel title={t("overview.jobs")}>
            {own.is_controller ? (
              <JobList jobs={jobs} empty={t("overview.no_jobs")} />
            ) : (
              <Empty>{t("overview.no_control", { controller: own.controller })}</Empty>
            )}
          </Panel>
        </>
      )}
    </>
  );
}
