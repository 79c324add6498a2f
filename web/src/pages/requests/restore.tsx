// The data of a consent that was given: restored here, verified chunk by chunk by the site, saved.
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { ApiError, get, post, request as ask } from "../../lib/api";
import { bytes, duration, rate } from "../../lib/format";
import { save } from "../../lib/save";
import { Button, Panel, Progress } from "../../ui/basic";
import { Alert, told } from "../../ui/failure";
import type { RequestRow } from "./model";

interface Going {
  done: number;
  total: number;
  began: number;
}

export function Restore(props: { request: RequestRow; grant: string }) {
  const { t } = useTexts();
  const [going, set_going] = useState<Going | null>(null);
  const [ended, set_ended] = useState<number | null>(null);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const abort = useRef<AbortController | null>(null);
  const { request } = props;
  const run = async () => {
    abort.current = new AbortController();
    set_problem(null);
    set_ended(null);
    try {
      const begun = await post<{ job: string; bytes: number }>("/v1/restores", {
        object: request.object,
        grant: props.grant,
        grantee: request.grantee,
        grantee_id: request.grantee_id,
        purpose: request.purpose,
        regions: request.regions,
      });
      const began = Date.now();
      set_going({ done: 0, total: begun.bytes, began });
      const answer = await ask("GET", `/v1/restores/${begun.job}/content`, { signal: abort.current.signal });
      // Pieces of a Blob: the browser keeps large ones on disk.
      const pieces: Blob[] = [];
      let done = 0;
      const reader = answer.body?.getReader();
      for (;;) {
        const piece = await reader?.read();
        if (!piece || piece.done) break;
        pieces.push(new Blob([piece.value]));
        done += piece.value.length;
        set_going({ done, total: begun.bytes, began });
      }
      // Of regions, how long the file is that is made of them nobody knows before: the job says whether
      // all of it has come.
      const is_all = request.regions.length === 0;
      const job = await get<{ state: string }>(`/v1/jobs/${begun.job}`);
      if (job.state !== "done" || (is_all && done !== begun.bytes)) {
        throw new ApiError(0, "unavailable", t("requests.cut", { done: bytes(done), total: bytes(begun.bytes) }));
      }
      const name = request.object_label || request.object;
      save(is_all ? name : name.replace(/((\.vcf)?\.[^.]*)?$/, ".regions$1"), new Blob(pieces));
      set_ended(done);
    } catch (failure) {
      set_problem(abort.current.signal.aborted ? t("requests.stopped") : told(failure));
    } finally {
      set_going(null);
    }
  };
  const seconds = going ? (Date.now() - going.began) / 1000 : 0;
  const speed = going && seconds > 0.5 ? going.done / seconds : 0;
  return (
    <Panel title={t("requests.data")}>
      <p>{t("requests.data_text", { uses: request.uses, site: request.destination })}</p>
      {going ? (
        <>
          <Progress label={t("requests.restoring")} done={going.done} total={going.total} />
          <p class="note figure">
            {bytes(going.done)} / {bytes(going.total)}
            {speed > 0 && ` · ${rate(speed * 8)} · ${duration((going.total - going.done) / speed)}`}
          </p>
          <Button onClick={() => abort.current?.abort()}>{t("requests.stop")}</Button>
        </>
      ) : (
        <Button kind="primary" onClick={() => void run()}>
          {t("requests.restore")}
        </Button>
      )}
      {ended !== null && <p role="status">{t("requests.restored", { bytes: bytes(ended) })}</p>}
      <Alert>{problem}</Alert>
      <p class="note">{t("requests.computational")}</p>
    </Panel>
  );
}
