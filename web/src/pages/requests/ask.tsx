// The form with which a clinician or researcher asks a person for a consent.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { bytes, duration } from "../../lib/format";
import { useGet } from "../../lib/load";
import { go } from "../../lib/router";
import { session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Button, Field, Panel } from "../../ui/basic";
import { Alert, told } from "../../ui/failure";
import { toast } from "../../ui/dialog";
import type { RequestRow } from "./model";
import { RegionsField, region_of } from "./regions";
import "./requests.css";

interface PersonRow {
  person: string;
  name: string;
}
interface ObjectRow {
  object: string;
  label: string;
  bytes: number;
  state: string;
}

const HOUR = 3600;
const DAY = 86_400;

function lines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((one) => one.trim())
    .filter(Boolean);
}

export function Ask(props: { asked: () => void }) {
  const { t, name } = useTexts();
  const who = useStore(session);
  const people = useGet<{ persons: PersonRow[] }>("/v1/persons");
  const [person, set_person] = useState("");
  const [object, set_object] = useState("");
  const [purpose, set_purpose] = useState("medicine");
  const [grantee, set_grantee] = useState("");
  const [grantee_id, set_grantee_id] = useState("");
  const [regions, set_regions] = useState("");
  const [decoys, set_decoys] = useState(0);
  const [data_use, set_data_use] = useState("");
  const [uses, set_uses] = useState(1);
  const [valid, set_valid] = useState(DAY);
  const [open, set_open] = useState(7 * DAY);
  const [note, set_note] = useState("");
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const [busy, set_busy] = useState(false);
  const objects = useGet<{ objects: ObjectRow[] }>(person ? `/v1/objects?person=${encodeURIComponent(person)}` : null);
  const stored = (objects.value?.objects ?? []).filter((one) => one.state === "committed");
  useEffect(() => set_object(stored[0]?.object ?? ""), [objects.value]);
  const send = async () => {
    set_busy(true);
    set_problem(null);
    try {
      const answer = await post<RequestRow>("/v1/requests", {
        object,
        person,
        purpose,
        grantee,
        grantee_id,
        regions: lines(regions).map(region_of),
        decoys: lines(regions).length ? decoys : 0,
        data_use: lines(data_use),
        uses,
        valid_seconds: valid,
        open_seconds: open,
        note,
      });
      toast(t("requests.asked"));
      props.asked();
      go(`/requests/${answer.request}`);
    } catch (failure) {
      set_problem(told(failure));
    } finally {
      set_busy(false);
    }
  };
  return (
    <Panel title={t("requests.ask")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Field label={t("requests.person")}>
          {(ids) => (
            <select {...ids} required value={person} onChange={(event) => set_person(event.currentTarget.value)}>
              <option value="">{t("requests.choose")}</option>
              {(people.value?.persons ?? []).map((one) => (
                <option key={one.person} value={one.person}>
                  {one.person} – {one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("requests.object")} hint={person && objects.value && !stored.length ? t("requests.no_objects") : ""}>
          {(ids) => (
            <select {...ids} required value={object} onChange={(event) => set_object(event.currentTarget.value)}>
              {!stored.length && <option value="">{person ? "–" : t("requests.person_first")}</option>}
              {stored.map((one) => (
                <option key={one.object} value={one.object}>
                  {one.label} ({bytes(one.bytes)})
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("requests.purpose")}>
          {(ids) => (
            <select {...ids} value={purpose} onChange={(event) => set_purpose(event.currentTarget.value)}>
              {["medicine", "health_management", "research"].map((one) => (
                <option key={one} value={one}>
                  {name("requests.purpose", one)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("requests.grantee")} hint={t("requests.grantee_hint")}>
          {(ids) => (
            <input {...ids} required maxLength={64} value={grantee} onInput={(event) => set_grantee(event.currentTarget.value)} />
          )}
        </Field>
        <Field label={t("requests.grantee_id")} hint={t("requests.grantee_id_hint")}>
          {(ids) => (
            <input {...ids} maxLength={64} value={grantee_id} onInput={(event) => set_grantee_id(event.currentTarget.value)} />
          )}
        </Field>
        <RegionsField value={regions} set={set_regions} />
        {lines(regions).length > 0 && (
          <Field label={t("requests.decoys")} hint={t("requests.decoys_hint")}>
            {(ids) => (
              <select {...ids} value={String(decoys)} onChange={(event) => set_decoys(Number(event.currentTarget.value))}>
                {[0, 1, 3, 7, 15].map((one) => (
                  <option key={one} value={String(one)}>
                    {one ? t("requests.decoys_each", { count: one }) : t("requests.decoys_none")}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label={t("requests.data_use")} hint={t("requests.data_use_hint")}>
          {(ids) => <input {...ids} value={data_use} onInput={(event) => set_data_use(event.currentTarget.value)} />}
        </Field>
        <Field label={t("requests.uses")}>
          {(ids) => (
            <input {...ids} type="number" min={1} max={1000} required value={uses} onInput={(event) => set_uses(event.currentTarget.valueAsNumber || 1)} />
          )}
        </Field>
        <Field label={t("requests.valid")}>
          {(ids) => (
            <select {...ids} value={String(valid)} onChange={(event) => set_valid(Number(event.currentTarget.value))}>
              {[HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY].map((one) => (
                <option key={one} value={String(one)}>
                  {duration(one)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("requests.waits")}>
          {(ids) => (
            <select {...ids} value={String(open)} onChange={(event) => set_open(Number(event.currentTarget.value))}>
              {[DAY, 7 * DAY, 30 * DAY, 90 * DAY].map((one) => (
                <option key={one} value={String(one)}>
                  {duration(one)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("requests.note")} hint={t("requests.note_hint")}>
          {(ids) => (
            <input {...ids} maxLength={300} value={note} onInput={(event) => set_note(event.currentTarget.value)} />
          )}
        </Field>
        <p class="note">{t("requests.where", { site: who?.site ?? "" })}</p>
        <Alert>{problem}</Alert>
        <Button kind="primary" type="submit" disabled={busy}>
          {t("requests.send")}
        </Button>
      </form>
    </Panel>
  );
}
