// What a page loads once: its value, its problem, and loading it again.
import { useEffect, useState } from "preact/hooks";
import { get } from "./api";

export interface Loaded<T> {
  value: T | null;
  problem: unknown;
  again: () => void;
}

/** GET `path`; null: nothing is loaded. */
export function useGet<T>(path: string | null): Loaded<T> {
  const [state, set_state] = useState<{ path: string | null; value: T | null; problem: unknown }>({
    path: null,
    value: null,
    problem: null,
  });
  const [turn, set_turn] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    get<T>(path, abort.signal).then(
      (value) => set_state({ path, value, problem: null }),
      (problem: unknown) => {
        if (!abort.signal.aborted) set_state({ path, value: null, problem });
      },
    );
    return () => abort.abort();
  }, [path, turn]);
  const fits = state.path === path;
  return {
    value: fits ? state.value : null,
    problem: fits ? state.problem : null,
    again: () => set_turn((n) => n + 1),
  };
}
