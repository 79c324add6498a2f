// The last checkpoint, who has signed it, and what the witnesses say of this log.
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { count, time } from "../../lib/format";
import type { Loaded } from "../../lib/load";
import { type Note, parse_note, signed_by } from "../../lib/proofs";
import { Badge, Button, Facts, Loading, Panel, Problem, type Tone } from "../../ui/basic";
import { told } from "../../ui/failure";
import { toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";

interface Witness {
  witness: string;
  verdict: string;
  records: number;
  asked: string;
  problem: string;
  differs_at?: number;
}
export interface Checkpoint {
  site: string;
  records: number;
  checkpoint_records: number;
  root: string;
  note: string;
  key: string;
  witnesses: Witness[];
}

export type Verdict = "yes" | "no" | "unable" | null;

export function Holds(props: { verdict: Verdict }) {
  const { t } = useTexts();
  if (props.verdict === null) return <span>…</span>;
  if (props.verdict === "unable") return <Badge tone="warn">{t("audit.unable")}</Badge>;
  const holds = props.verdict === "yes";
  return <Badge tone={holds ? "good" : "bad"}>{t(holds ? "audit.holds" : "audit.fails")}</Badge>;
}

/** The signature of `name` in the note, by a key; null while it is computed or there is no key. */
export function useSignature(note: Note | null, name: string, key: string): Verdict {
  const [verdict, set_verdict] = useState<Verdict>(null);
  useEffect(() => {
    const signature = note?.signatures.find((one) => one.name === name);
    set_verdict(null);
    if (!note || !key) return;
    if (!signature || !/^[0-9a-f]{64}$/i.test(key)) {
      set_verdict("no");
      return;
    }
    signed_by(note, signature, key).then(set_verdict, () => set_verdict("no"));
  }, [note?.body, name, key]);
  return verdict;
}

function WitnessKey(props: { note: Note; name: string }) {
  const { t } = useTexts();
  const [key, set_key] = useState("");
  const verdict = useSignature(props.note, props.name, key.trim());
  return (
    <span class="actions">
      <input
        aria-label={`${t("audit.witness_key")} (${props.name})`}
        title={t("audit.witness_key_hint")}
        value={key}
        size={16}
        spellcheck={false}
        onInput={(event) => set_key(event.currentTarget.value)}
      />
      {key && <Holds verdict={verdict} />}
    </span>
  );
}

function tone(verdict: string): Tone {
  if (verdict === "agrees") return "good";
  return verdict === "differs" || verdict === "saw more" ? "bad" : "warn";
}

export function CheckpointPanel(props: { loaded: Loaded<Checkpoint> }) {
  const { t, name } = useTexts();
  const [busy, set_busy] = useState(false);
  const { value, problem, again } = props.loaded;
  const note = value ? parse_note(value.note) : null;
  const own = useSignature(note, value?.site ?? "", value?.key ?? "");
  const round = async () => {
    set_busy(true);
    try {
      await post("/v1/log/round");
      toast(t("audit.round_done"));
    } catch (failure) {
      toast(told(failure), true);
    }
    set_busy(false);
    again();
  };
  const cosigned = (witness: string) => {
    const seconds = note?.signatures.find((one) => one.name === witness && one.seconds !== null)?.seconds;
    return seconds ? time(seconds * 1000) : "–";
  };
  return (
    <Panel
      title={t("audit.checkpoint")}
      actions={
        <Button kind="primary" disabled={busy} onClick={() => void round()}>
          {t("audit.round")}
        </Button>
      }
    >
      {Boolean(problem) && <Problem problem={problem} retry={again} />}
      {!value && !problem && <Loading />}
      {value && note && (
        <>
          <Facts
            facts={[
              [t("audit.records"), count(value.records)],
              [t("audit.covered"), count(value.checkpoint_records)],
              [t("audit.signed"), <Holds verdict={own} />],
              [t("audit.root"), <code>{value.root}</code>],
              [t("audit.key"), <code>{value.key}</code>],
            ]}
          />
          <DataTable
            caption={t("audit.checkpoint")}
            empty={t("audit.no_witness")}
            rows={value.witnesses.map((one) => ({ ...one, id: one.witness }))}
            columns={[
              { name: t("audit.witness"), cell: (one) => one.witness, by: (one) => one.witness },
              {
                name: t("audit.verdict"),
                by: (one) => one.verdict,
                cell: (one) => (
                  <>
                    <Badge tone={tone(one.verdict)}>{name("verdict", one.verdict)}</Badge>
                    {one.differs_at !== undefined && <p class="note">{t("audit.differs_at", { record: one.differs_at })}</p>}
                    {one.problem && <p class="note">{one.problem}</p>}
                  </>
                ),
              },
              { name: t("audit.seen"), cell: (one) => count(one.records), numeric: true },
              { name: t("audit.asked"), cell: (one) => (one.asked ? time(Date.parse(one.asked)) : "–"), time: true },
              { name: t("audit.cosigned"), cell: (one) => cosigned(one.witness), time: true },
              { name: t("audit.witness_key"), cell: (one) => <WitnessKey note={note} name={one.witness} /> },
            ]}
          />
          <p class="note">{t("audit.computational")}</p>
        </>
      )}
    </Panel>
  );
}
