// The second factor, asked for when the site wants it, and what is told of an act that was only
// proposed. Both appear over whatever page is shown.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { ApiError, type Proposal, on_proposed, on_second_factor, request } from "../lib/api";
import { time } from "../lib/format";
import { go } from "../lib/router";
import { Store, useStore } from "../lib/store";
import { Button, Facts, Field } from "./basic";
import { Alert, told } from "./failure";
import { Dialog } from "./dialog";

interface Asked {
  confirmed: (confirmation: string) => void;
  refused: (why: unknown) => void;
}
const asked = new Store<Asked | null>(null);
const proposed = new Store<Proposal | null>(null);

on_second_factor(
  () => new Promise<string>((confirmed, refused) => asked.set({ confirmed, refused })),
);
on_proposed((proposal) => proposed.set(proposal));

function Factor(props: { asked: Asked }) {
  const { t } = useTexts();
  const [passphrase, set_passphrase] = useState("");
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const [busy, set_busy] = useState(false);
  const close = () => {
    asked.set(null);
    props.asked.refused(new ApiError(401, "cancelled", ""));
  };
  const send = async () => {
    set_busy(true);
    set_problem(null);
    try {
      const answer = await request("POST", "/v1/operators/confirm", { raw: passphrase });
      const { confirmation } = (await answer.json()) as { confirmation: string };
      props.asked.confirmed(confirmation);
      asked.set(null);
    } catch (failure) {
      set_problem(told(failure));
    } finally {
      set_passphrase("");
      set_busy(false);
    }
  };
  return (
    <Dialog
      title={t("factor.title")}
      close={close}
      actions={
        <Button kind="primary" type="submit" form="factor" disabled={busy || passphrase === ""}>
          {t("factor.confirm")}
        </Button>
      }
    >
      <form
        id="factor"
        onSubmit={(event) => {
          event.preventDefault();
          if (passphrase) void send();
        }}
      >
        <p>{t("factor.why")}</p>
        <Field label={t("factor.label")} hint={t("factor.none")}>
          {(ids) => (
            <input
              {...ids}
              type="password"
              autoComplete="off"
              maxLength={256}
              value={passphrase}
              disabled={busy}
              onInput={(event) => set_passphrase(event.currentTarget.value)}
            />
          )}
        </Field>
        <Alert>{problem}</Alert>
      </form>
    </Dialog>
  );
}

function Proposed(props: { proposal: Proposal }) {
  const { t } = useTexts();
  const close = () => proposed.set(null);
  return (
    <Dialog
      title={t("proposed.title")}
      close={close}
      actions={
        <Button
          kind="primary"
          onClick={() => {
            close();
            go("/approvals");
          }}
        >
          {t("proposed.see")}
        </Button>
      }
    >
      <p>{t("proposed.text", { until: time(Date.parse(props.proposal.expires)) })}</p>
      <Facts facts={[[t("proposed.number"), <code>{props.proposal.proposal}</code>]]} />
    </Dialog>
  );
}

/** Once, in the frame. */
export function Rules() {
  const one = useStore(asked);
  const other = useStore(proposed);
  return (
    <>
      {one && <Factor asked={one} />}
      {other && <Proposed proposal={other} />}
    </>
  );
}
