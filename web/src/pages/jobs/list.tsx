// A list of jobs with their progress, and the orders that an operator may give.
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { bytes, clock, duration, short_id, time } from "../../lib/format";
import type { JobRow } from "../../lib/live";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Badge, Button, Progress, type Tone } from "../../ui/basic";
import { Failure, told } from "../../ui/failure";
import { confirm, toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";
import { useLabels } from "./labels";

const OVER = ["done", "failed", "cancelled"];

export function is_active(job: JobRow): boolean {
  return !OVER.includes(job.state);
}

function tone(job: JobRow): Tone {
  if (job.state === "done") return "good";
  if (job.refused) return "plain";
  if (job.state === "failed") return "bad";
  if (job.state.startsWith("waiting") || job.state === "paused") return "warn";
  return job.state === "cancelled" ? "plain" : "info";
}

function Orders(props: { job: JobRow }) {
  const { t, name } = useTexts();
  const { job } = props;
  if (!is_active(job) || job.kind === "restore") return null;
  const order = async (what: "pause" | "resume" | "cancel") => {
    const text = t(`jobs.${what}`);
    if (what === "cancel" && !(await confirm(t("jobs.cancel_sure"), text, true))) return;
    try {
      await post(`/v1/jobs/${job.id}/${what}`);
      toast(t("jobs.ordered", { order: text }));
    } catch (failure) {
      toast(told(failure), true);
    }
  };
  const button = (what: "pause" | "resume" | "cancel") => (
    <Button
      {...(what === "cancel" ? { kind: "danger" as const } : {})}
      aria-label={t("jobs.of", {
        order: t(`jobs.${what}`),
        kind: name("job", job.kind),
        object: short_id(job.object),
      })}
      onClick={() => void order(what)}
    >
      {t(`jobs.${what}`)}
    </Button>
  );
  return (
    <span class="actions">
      {button(job.state === "paused" ? "resume" : "pause")}
      {button("cancel")}
    </span>
  );
}

/** The file's name, and the beginning of its id. */
function Named(props: { job: JobRow; label: string }) {
  const { job, label } = props;
  return (
    <>
      {label && <span class="job-label">{label}</span>} <code class="job-id" title={job.object}>
        {short_id(job.object)}
      </code>
    </>
  );
}

export function JobList(props: { jobs: JobRow[]; empty: string }) {
  const { t, name } = useTexts();
  const who = useStore(session);
  const label_of = useLabels(may(who, ["biobank", "hospital", "auditor"]) ? props.jobs.map((job) => job.object) : []);
  const orders = may(who, ["biobank"]);
  const jobs = [...props.jobs].sort((x, y) => y.created_ms - x.created_ms);
  const end = (job: JobRow) => {
    if (!is_active(job) || !job.expected_end_ms) return "";
    const seconds = (job.expected_end_ms - Date.now()) / 1000;
    return `${t("jobs.in", { duration: duration(Math.max(0, seconds)) })} (${clock(job.expected_end_ms)})`;
  };
  return (
    <DataTable
      caption={t("jobs.title")}
      empty={props.empty}
      rows={jobs}
      columns={[
        { name: t("jobs.kind"), cell: (job) => name("job", job.kind), by: (job) => job.kind },
        {
          name: t("jobs.state"),
          by: (job) => job.state,
          cell: (job) => (
            <>
              <Badge tone={tone(job)}>{name("jobstate", job.refused ? "refused" : job.state)}</Badge>{" "}
              {is_active(job) && job.step && <span class="note">{name("jobstep", job.step)}</span>}
              {job.jobs_before !== null && is_active(job) && (
                <span class="note"> {t("jobs.before", { count: job.jobs_before })}</span>
              )}
              {job.error && (
                <div class="note">
                  <Failure code={job.error_code} reason={job.error_reason} message={job.error} />
                </div>
              )}
            </>
          ),
        },
        { name: t("jobs.object"), cell: (job) => <Named job={job} label={label_of(job.object)} /> },
        {
          name: t("jobs.progress"),
          cell: (job) =>
            is_active(job) ? (
              <Progress label={`${name("job", job.kind)} ${short_id(job.object)}`} done={job.progress_bytes} total={job.total_bytes} />
            ) : (
              bytes(job.total_bytes)
            ),
        },
        { name: t("jobs.end"), cell: end },
        { name: t("jobs.updated"), cell: (job) => time(job.updated_ms), by: (job) => job.updated_ms },
        ...(orders && jobs.some(is_active)
          ? [{ name: t("jobs.orders"), cell: (job: JobRow) => <Orders job={job} /> }]
          : []),
      ]}
    />
  );
}
