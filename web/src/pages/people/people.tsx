// Everybody whose data are kept here, how somebody is enrolled, and what sites have still to be told.
import { useTexts } from "../../i18n";
import { time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { Link } from "../../lib/router";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Button, Empty, Loading, Panel, Problem } from "../../ui/basic";
import { DataTable } from "../../ui/table";

interface PersonRow {
  person: string;
  name: string;
  card: string;
  enrolled: string;
}
interface CardStatus {
  safekeeping: boolean;
  kept: number;
  not_kept: number;
  problem: string;
  waiting: { order: string; card: string; site: string; since: string; grant?: string }[];
}

function Orders() {
  const { t, name } = useTexts();
  const status = useGet<CardStatus>("/v1/cards/status");
  if (status.problem) return <Problem problem={status.problem} retry={status.again} />;
  if (!status.value) return <Loading />;
  const rows = status.value.waiting.map((one, i) => ({ ...one, id: String(i) }));
  return (
    <>
      {status.value.problem && <p class="note note-error">{status.value.problem}</p>}
      <DataTable
        caption={t("people.orders")}
        empty={t("people.no_orders")}
        rows={rows}
        columns={[
          { name: t("people.order"), cell: (row) => name("people.order", row.order) },
          { name: t("people.card"), cell: (row) => <code>{row.card.slice(0, 8)}</code> },
          { name: t("people.site"), cell: (row) => row.site, by: (row) => row.site },
          { name: t("people.since"), cell: (row) => time(Date.parse(row.since)), by: (row) => row.since },
        ]}
      />
    </>
  );
}

export default function People() {
  const { t } = useTexts();
  const who = useStore(session);
  const people = useGet<{ persons: PersonRow[] }>(who?.is_controller ? "/v1/persons" : null);
  if (who && !who.is_controller) {
    return (
      <>
        <h1 tabIndex={-1}>{t("people.title")}</h1>
        <Empty>{t("overview.no_control", { controller: who.controller })}</Empty>
      </>
    );
  }
  return (
    <>
      <h1 tabIndex={-1}>{t("people.title")}</h1>
      <Panel title={t("people.list")}>
        {people.problem ? <Problem problem={people.problem} retry={people.again} /> : null}
        {!people.value && !people.problem && <Loading />}
        {people.value && (
          <DataTable
            caption={t("people.list")}
            empty={t("people.none")}
            rows={people.value.persons.map((one) => ({ ...one, id: one.person }))}
            columns={[
              {
                name: t("people.id"),
                by: (row) => row.person,
                cell: (row) => <Link to={`/people/${encodeURIComponent(row.person)}`}>{row.person}</Link>,
              },
              { name: t("people.name"), cell: (row) => row.name, by: (row) => row.name },
              { name: t("people.card"), cell: (row) => <code title={row.card}>{row.card.slice(0, 8)}</code> },
              { name: t("people.enrolled"), cell: (row) => time(Date.parse(row.enrolled)), by: (row) => row.enrolled },
            ]}
          />
        )}
      </Panel>
      {may(who, ["biobank"]) && (
        <Panel title={t("people.enrol")} actions={<Button kind="quiet" onClick={people.again}>{t("people.look_again")}</Button>}>
          <p>{t("people.enrol_text")}</p>
          <pre class="command">warifu person enrol --id P-002 --name "Hanako" --card pcsc --site DIR</pre>
        </Panel>
      )}
      {may(who, ["biobank", "officer"]) && (
        <Panel title={t("people.orders")}>
          <Orders />
        </Panel>
      )}
    </>
  );
}
