// What waits for a second person, and, for officers, what waits for this site's own word.
import { useCallback, useState } from "preact/hooks";
import { useTexts, type Key } from "../../i18n";
import { post } from "../../lib/api";
import { time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { useEvery } from "../../lib/poll";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Badge, Button, Empty, Loading, Panel, Problem, type Tone } from "../../ui/basic";
import { told } from "../../ui/failure";
import { confirm, toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";
import { Lost } from "./lost";
import { PersonOrders } from "./orders";
import "./proposals.css";

interface ProposalRow {
  proposal: string;
  state: string;
  act: string;
  target: string;
  body: string;
  proposer: string;
  decider: string;
  status: number;
  made: string;
  expires: string;
}

const LOOK_MS = 3000;
const TONES: Record<string, Tone> = { open: "info", done: "good", rejected: "warn", interrupted: "bad" };
const ACTS: Record<string, Key> = {
  "POST /v1/objects/{object}/delete": "proposals.act.delete",
  "POST /v1/cards/{card}/allow-reissue": "proposals.act.reissue",
  "POST /v1/person-orders/{order}/allow": "proposals.act.order",
  "POST /v1/log/erase": "proposals.act.erase",
  "POST /v1/catalog/forget": "proposals.act.forget",
};

function Waiting(props: { rows: ProposalRow[]; again: () => void }) {
  const { t } = useTexts();
  const who = useStore(session);
  const [busy, set_busy] = useState(false);
  const act_of = (row: ProposalRow) => (ACTS[row.act] ? t(ACTS[row.act] as Key) : row.act);
  const decide = async (row: ProposalRow, approves: boolean) => {
    const sure = approves
      ? t("proposals.approve_sure", { by: row.proposer, target: row.target, body: row.body })
      : t("proposals.reject_sure");
    if (!(await confirm(sure, t(approves ? "proposals.approve" : "proposals.reject"), !approves))) return;
    set_busy(true);
    try {
      await post(`/v1/proposals/${row.proposal}/${approves ? "approve" : "reject"}`);
      toast(t(approves ? "proposals.approved" : "proposals.was_rejected"));
    } catch (failure) {
      toast(told(failure), true);
    } finally {
      set_busy(false);
      props.again();
    }
  };
  return (
    <DataTable
      caption={t("proposals.waiting")}
      empty={t("proposals.none")}
      rows={props.rows.map((one) => ({ ...one, id: one.proposal }))}
      columns={[
        { name: t("proposals.what"), cell: act_of, by: act_of },
        {
          name: t("proposals.exactly"),
          cell: (row) => (
            <code class="exactly">
              {row.target} {row.body}
            </code>
          ),
        },
        { name: t("proposals.by"), cell: (row) => row.proposer, by: (row) => row.proposer },
        { name: t("proposals.until"), cell: (row) => time(Date.parse(row.expires)), by: (row) => row.expires },
        {
          name: t("proposals.decide"),
          cell: (row) => (
            <span class="actions">
              {row.proposer === who?.name ? (
                <span class="note">{t("proposals.own")}</span>
              ) : (
                <Button
                  kind="primary"
                  disabled={busy}
                  aria-label={t("proposals.approve_one", { what: act_of(row), by: row.proposer })}
                  onClick={() => void decide(row, true)}
                >
                  {t("proposals.approve")}
                </Button>
              )}
              <Button
                disabled={busy}
                aria-label={t("proposals.reject_one", { what: act_of(row), by: row.proposer })}
                onClick={() => void decide(row, false)}
              >
                {t("proposals.reject")}
              </Button>
            </span>
          ),
        },
      ]}
    />
  );
}

function Decided(props: { rows: ProposalRow[] }) {
  const { t, name } = useTexts();
  const act_of = (row: ProposalRow) => (ACTS[row.act] ? t(ACTS[row.act] as Key) : row.act);
  return (
    <DataTable
      caption={t("proposals.decided")}
      empty={t("proposals.none_decided")}
      most={10}
      rows={props.rows.map((one) => ({ ...one, id: one.proposal }))}
      columns={[
        {
          name: t("proposals.state"),
          cell: (row) =>
            row.status >= 400 ? (
              <Badge tone="bad">{t("proposals.refused", { status: row.status })}</Badge>
            ) : (
              <Badge tone={TONES[row.state] ?? "plain"}>{name("proposals.state", row.state)}</Badge>
            ),
        },
        { name: t("proposals.what"), cell: act_of, by: act_of },
        {
          name: t("proposals.exactly"),
          cell: (row) => (
            <code class="exactly">
              {row.target} {row.body}
            </code>
          ),
        },
        { name: t("proposals.by"), cell: (row) => row.proposer, by: (row) => row.proposer },
        { name: t("proposals.decider"), cell: (row) => row.decider, by: (row) => row.decider },
        { name: t("proposals.made"), cell: (row) => time(Date.parse(row.made)), by: (row) => row.made },
      ]}
    />
  );
}

export default function Proposals() {
  const { t } = useTexts();
  const who = useStore(session);
  const list = useGet<{ two_person: boolean; proposals: ProposalRow[] }>("/v1/proposals");
  const [shown, set_shown] = useState<{ two_person: boolean; proposals: ProposalRow[] } | null>(null);
  if (list.value && list.value !== shown) set_shown(list.value);
  const again = useCallback(list.again, []);
  useEvery(LOOK_MS, again);
  return (
    <>
      <h1 tabIndex={-1}>{t("proposals.title")}</h1>
      <p>{t("proposals.intro")}</p>
      <Panel title={t("proposals.waiting")}>
        {list.problem ? <Problem problem={list.problem} retry={again} /> : null}
        {!shown && !list.problem && <Loading />}
        {shown && !shown.two_person && <Empty>{t("proposals.off")}</Empty>}
        {shown?.two_person && <Waiting rows={shown.proposals.filter((one) => one.state === "open")} again={again} />}
      </Panel>
      {may(who, ["officer"]) && <Lost />}
      {may(who, ["officer"]) && <PersonOrders />}
      {shown?.two_person && (
        <Panel title={t("proposals.decided")}>
          <Decided rows={shown.proposals.filter((one) => one.state !== "open")} />
        </Panel>
      )}
    </>
  );
}
