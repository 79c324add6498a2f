// What stored data are called, for lists that know their ids alone. Asked for again when an id comes
// that is not known; none for those who may not see the data.
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../../lib/api";

const MOST = 1000;

export function useLabels(ids: readonly string[]): (id: string) => string {
  const [labels, set_labels] = useState<ReadonlyMap<string, string>>(new Map());
  const asked = useRef(new Set<string>()); // an id that stays unknown is not asked for twice
  const fresh = ids.filter((id) => id && !labels.has(id) && !asked.current.has(id));
  const turn = fresh.join(" ");
  useEffect(() => {
    if (!turn) return;
    for (const id of turn.split(" ")) asked.current.add(id);
    const abort = new AbortController();
    get<{ objects: { object: string; label: string }[] }>(`/v1/objects?count=${MOST}`, abort.signal).then(
      (answer) => set_labels(new Map(answer.objects.map((one) => [one.object, one.label]))),
      () => undefined,
    );
    return () => abort.abort();
  }, [turn]);
  return (id) => labels.get(id) ?? "";
}
