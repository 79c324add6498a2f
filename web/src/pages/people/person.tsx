// One person: their card, what is stored of them, the jobs about it, and storing more.
import { useCallback, useEffect, useState } from "preact/hooks";
import type { PageProps } from "..";
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { bytes, time } from "../../lib/format";
import { tables } from "../../lib/live";
import { useGet } from "../../lib/load";
import { useEvery } from "../../lib/poll";
import { Link } from "../../lib/router";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Badge, Button, Facts, Loading, Panel, Problem, type Tone } from "../../ui/basic";
import { told } from "../../ui/failure";
import { confirm, toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";
import { JobList } from "../jobs/list";
import { type Enrolment } from "./enrol";
import { Reissue, type ReissueStates } from "./reissue";
import { Uploader } from "./uploader";

const LOOK_MS = 4000;
const TONES: Record<string, Tone> = { committed: "good", storing: "info", failed: "bad", deleted: "plain" };

interface PersonRow {
  person: string;
  name: string;
  card: string;
  enrolled: string;
}
interface ObjectRow {
  object: string;
  label: string;
  bytes: number;
  state: string;
  policy: string;
  card_record: string;
  created: string;
}

export default function Person(props: PageProps) {
  const { t, name } = useTexts();
  const who = useStore(session);
  const id = props.parameters["person"] ?? "";
  const people = useGet<{ persons: PersonRow[] }>("/v1/persons");
  const objects = useGet<{ objects: ObjectRow[] }>(`/v1/objects?person=${encodeURIComponent(id)}`);
  const again = useCallback(objects.again, []);
  useEvery(LOOK_MS, again);
  const states = useGet<ReissueStates>(`/v1/persons/${encodeURIComponent(id)}/reissue`);
  const [known, set_known] = useState<ReissueStates | null>(null);
  if (states.value && states.value !== known) set_known(states.value);
  const is_staff = may(who, ["biobank"]);
  const orders = useGet<{ enrolments: Enrolment[] }>(is_staff && known?.lost ? "/v1/enrolments" : null);
  useEvery(LOOK_MS, useCallback(orders.again, []));
  const newest = orders.value?.enrolments.find((one) => one.person === id && one.again) ?? null;
  const order = newest && ["waiting", "begun"].includes(newest.state) ? newest : null;
  useEffect(() => {
    if (newest?.state !== "done") return;
    states.again();
    people.again();
  }, [newest?.state]);
  const jobs = [...useStore(tables.jobs).values()];
  const person = people.value?.persons.find((one) => one.person === id);
  if (people.problem) return <Problem problem={people.problem} retry={people.again} />;
  if (!people.value) return <Loading />;
  if (!person) {
    return (
      <>
        <h1 tabIndex={-1}>{id}</h1>
        <p>{t("people.unknown")}</p>
      </>
    );
  }
  const rows = (objects.value?.objects ?? []).map((one) => ({ ...one, id: one.object }));
  const own = jobs.filter((job) => rows.some((row) => row.object === job.object));
  const revoke = async () => {
    if (!(await confirm(t("people.revoke_sure", { person: id }), t("people.revoke"), true))) return;
    try {
      const answer = await post<{ told: string[]; waiting: { site: string }[] }>(`/v1/cards/${person.card}/revoke`, {
        why: "lost",
      });
      states.again();
      toast(t("people.revoked", { told: answer.told.length, waiting: answer.waiting.length }));
    } catch (failure) {
      toast(told(failure), true);
    }
  };
  return (
    <>
      <h1 tabIndex={-1}>{person.name}</h1>
      <p>
        <Link to="/people">{t("people.back")}</Link>
      </p>
      <Panel
        title={t("people.one")}
        actions={
          !known?.lost &&
          may(who, ["biobank", "hospital", "officer"]) && (
            <Button kind="danger" onClick={() => void revoke()}>
              {t("people.revoke")}
            </Button>
          )
        }
      >
        <Facts
          facts={[
            [t("people.id"), person.person],
            [
              t("people.card"),
              <>
                <code>{person.card}</code> {known?.lost && <Badge tone="bad">{t("people.is_lost")}</Badge>}
              </>,
            ],
            [t("people.enrolled"), time(Date.parse(person.enrolled))],
          ]}
        />
      </Panel>
      {known?.lost && (
        <Reissue
          person={id}
          states={known}
          loaded={states}
          order={order}
          ordered={orders.again}
        />
      )}
      {may(who, ["biobank"]) && <Uploader person={id} stored={again} />}
      <Panel title={t("people.objects")}>
        {objects.problem ? <Problem problem={objects.problem} retry={again} /> : null}
        {(objects.value || rows.length > 0) && (
          <DataTable
            caption={t("people.objects")}
            empty={t("people.no_objects")}
            rows={rows}
            columns={[
              { name: t("people.label"), cell: (row) => row.label, by: (row) => row.label },
              { name: t("people.size"), cell: (row) => bytes(row.bytes), by: (row) => row.bytes, numeric: true },
              {
                name: t("people.state"),
                by: (row) => row.state,
                cell: (row) => <Badge tone={TONES[row.state] ?? "plain"}>{name("people.state", row.state)}</Badge>,
              },
              { name: t("people.record"), cell: (row) => name("people.record", row.card_record) },
              { name: t("people.created"), cell: (row) => time(Date.parse(row.created)), by: (row) => row.created },
              { name: t("people.object"), cell: (row) => <code>{row.object}</code> },
            ]}
          />
        )}
        {rows.some((row) => row.card_record === "pending" && row.state === "committed") && (
          <p class="note">{t("people.record_text")}</p>
        )}
        {rows.some((row) => row.card_record === "unknown" && row.state === "committed") && (
          <p class="note">{t("people.record_unknown")}</p>
        )}
      </Panel>
      {own.length > 0 && (
        <Panel title={t("people.jobs")}>
          <JobList jobs={own} empty="" />
        </Panel>
      )}
    </>
  );
}
