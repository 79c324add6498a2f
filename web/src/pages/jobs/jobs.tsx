// All jobs, as they go on.
import { useTexts } from "../../i18n";
import { tables } from "../../lib/live";
import { set_query, usePlace } from "../../lib/router";
import { session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Empty, Field, Panel } from "../../ui/basic";
import { JobList, is_active } from "./list";

export default function Jobs() {
  const { t } = useTexts();
  const who = useStore(session);
  const show = usePlace().query.get("show") ?? "all";
  const jobs = [...useStore(tables.jobs).values()].filter(
    (job) => show === "all" || is_active(job) === (show === "active"),
  );
  return (
    <>
      <h1 tabIndex={-1}>{t("jobs.title")}</h1>
      <p>{t("jobs.intro")}</p>
      {who && !who.is_controller ? (
        <Empty>{t("overview.no_control", { controller: who.controller })}</Empty>
      ) : (
        <Panel title={t("jobs.title")}>
          <Field label={t("jobs.show")}>
            {(ids) => (
              <select {...ids} value={show} onChange={(event) => set_query("show", event.currentTarget.value)}>
                <option value="all">{t("jobs.all")}</option>
                <option value="active">{t("jobs.active")}</option>
                <option value="over">{t("jobs.over")}</option>
              </select>
            )}
          </Field>
          <JobList jobs={jobs} empty={t("jobs.none")} />
        </Panel>
      )}
    </>
  );
}
