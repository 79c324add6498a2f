// Everybody whose data are kept here, how somebody is enrolled, and what sites have still to be told.
import { useCallback, useEffect, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { useEvery } from "../../lib/poll";
import { Link } from "../../lib/router";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Empty, Loading, Panel, Problem } from "../../ui/basic";
import { DataTable } from "../../ui/table";
import { EnrolForm, type Enrolment, Enrolments } from "./enrol";

const LOOK_MS = 2000;

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

/** Orders for the kiosk, looked at again and again while the page is seen. */
function Desk(props: { changed: () => void }) {
  const { t } = useTexts();
  const list = useGet<{ enrolments: Enrolment[] }>("/v1/enrolments");
  const [shown, set_shown] = useState<Enrolment[] | null>(null);
  const [last, set_last] = useState("");
  const again = useCallback(list.again, []);
  useEvery(LOOK_MS, again);
  if (list.value && list.value.enrolments !== shown) set_shown(list.value.enrolments);
  const done = (shown ?? []).filter((one) => one.state === "done").length;
  useEffect(() => props.changed(), [done]);
  return (
    <>
      <EnrolForm
        last={shown?.find((one) => one.order === last) ?? null}
        ordered={(one) => {
          set_last(one.order);
          again();
        }}
      />
      <Panel title={t("desk.orders")}>
        {list.problem ? <Problem problem={list.problem} retry={again} /> : null}
        {!shown && !list.problem && <Loading />}
        {shown && <Enrolments list={shown} again={again} />}
      </Panel>
    </>
  );
}

export default function People() {
  const { t } = useTexts();
  const who = useStore(session);
  const people = useGet<{ persons: PersonRow[] }>(who?.is_controller ? "/v1/persons" : null);
  const persons = people.value?.persons;
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
        {!persons && !people.problem && <Loading />}
        {persons && (
          <DataTable
            caption={t("people.list")}
            empty={t("people.none")}
            rows={persons.map((one) => ({ ...one, id: one.person }))}
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
      {may(who, ["biobank"]) && <Desk changed={people.again} />}
      {may(who, ["biobank", "officer"]) && (
        <Panel title={t("people.orders")}>
          <Orders />
        </Panel>
      )}
    </>
  );
}
