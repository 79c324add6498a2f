// Consents that are asked for: a form, and what became of each.
import { useCallback, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { listed, time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { useEvery } from "../../lib/poll";
import { Link } from "../../lib/router";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Badge, Empty, Loading, Panel, Problem } from "../../ui/basic";
import { DataTable } from "../../ui/table";
import { Ask } from "./ask";
import { type RequestRow, STATE_TONES } from "./model";
import { useNames } from "./names";

const LOOK_MS = 3000;

export default function Requests() {
  const { t, name } = useTexts();
  const who = useStore(session);
  const name_of = useNames();
  const list = useGet<{ requests: RequestRow[] }>(who?.is_controller ? "/v1/requests" : null);
  const [shown, set_shown] = useState<RequestRow[] | null>(null);
  if (list.value && list.value.requests !== shown) set_shown(list.value.requests);
  const again = useCallback(list.again, []);
  useEvery(LOOK_MS, again);
  if (who && !who.is_controller) {
    return (
      <>
        <h1 tabIndex={-1}>{t("requests.title")}</h1>
        <Empty>{t("overview.no_control", { controller: who.controller })}</Empty>
      </>
    );
  }
  const rows = (shown ?? []).map((one) => ({ ...one, id: one.request }));
  return (
    <>
      <h1 tabIndex={-1}>{t("requests.title")}</h1>
      <p>{t("requests.intro")}</p>
      {may(who, ["hospital"]) && <Ask asked={again} />}
      <Panel title={t("requests.list")}>
        {list.problem ? <Problem problem={list.problem} retry={again} /> : null}
        {!shown && !list.problem && <Loading />}
        {shown && (
          <DataTable
            caption={t("requests.list")}
            empty={t("requests.none")}
            rows={rows}
            columns={[
              {
                name: t("requests.state"),
                by: (row) => row.state,
                cell: (row) => (
                  <Badge tone={STATE_TONES[row.state] ?? "plain"}>{name("requests.state", row.state)}</Badge>
                ),
              },
              { name: t("requests.person"), cell: (row) => name_of(row.person), by: (row) => row.person },
              { name: t("requests.grantee"), cell: (row) => row.grantee, by: (row) => row.grantee },
              { name: t("requests.purpose"), cell: (row) => name("requests.purpose", row.purpose) },
              {
                name: t("requests.scope"),
                cell: (row) =>
                  row.regions.length
                    ? listed(row.regions.map((one) => one.split("=")[1] || one))
                    : t("requests.whole", { label: row.object_label }),
              },
              {
                name: t("requests.created"),
                by: (row) => row.created,
                cell: (row) => time(Date.parse(row.created)),
              },
              {
                name: t("requests.open"),
                cell: (row) => (
                  <Link
                    to={`/requests/${row.request}`}
                    aria-label={t("requests.open_of", { person: row.person, request: row.request.slice(0, 8) })}
                  >
                    {row.request.slice(0, 8)}
                  </Link>
                ),
              },
            ]}
          />
        )}
      </Panel>
    </>
  );
}
