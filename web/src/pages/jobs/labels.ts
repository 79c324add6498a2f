// What stored data are called, for lists that know their ids alone. Asked for again when an id comes
// that is not known; none for those who may not see the data.
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../../lib/api";

const MOST = 1000;

export function useLabels(ids: readonly string[]): (id: string) => string {
  const [labels, set_labels] = useState<ReadonlyMap<string, string>>(new Map());
  const asked = useRef(new Set<string>()); // an id that stays unknown is not asked for twice
  const is_new = ids.some((id) => id && !asked.current.has(id));
  useEffect(() => {
    if (!is_new) return;
    for (const id of ids) asked.current.add(id);
    // Not broken off when the list changes meanwhile: what it brings is wanted then, too.
    get<{ objects: { object: string; label: string }[] }>(`/v1/objects?count=${MOST}`).then(
      (answer) => set_labels(new Map(answer.objects.map((one) => [one.object, one.label]))),
      () => undefined,
    );
  }, [is_new]);
  return (id) => labels.get(id) ?? "";
}
