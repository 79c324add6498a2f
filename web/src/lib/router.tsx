// Addresses: every page has one below /app/, links are links, and back and forward work.
import type { ComponentChildren, JSX } from "preact";
import { Store, useStore } from "./store";

export const BASE = "/app";

export interface Place {
  path: string; // below BASE, "/" for the first page
  query: URLSearchParams;
}

function here(): Place {
  const path = location.pathname.slice(BASE.length).replace(/\/+$/, "") || "/";
  return { path, query: new URLSearchParams(location.search) };
}

export const place = new Store<Place>(here());
window.addEventListener("popstate", () => place.set(here()));

export function go(to: string, replace = false): void {
  if (BASE + to === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", BASE + to);
  place.set(here());
}

/** Changes one value of the query without a new entry in the history. */
export function set_query(name: string, value: string): void {
  const query = new URLSearchParams(location.search);
  if (value) query.set(name, value);
  else query.delete(name);
  const text = query.toString();
  go(here().path + (text ? `?${text}` : ""), true);
}

export function usePlace(): Place {
  return useStore(place);
}

/** The parameters of a pattern like "/objects/:object"; null when the path is another one. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split("/");
  const have = path.split("/");
  if (want.length !== have.length) return null;
  const found: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const given = have[i] ?? "";
    if (part.startsWith(":")) found[part.slice(1)] = decodeURIComponent(given);
    else if (part !== given) return null;
  }
  return found;
}

export function Link(
  props: { to: string; children: ComponentChildren } & Omit<JSX.HTMLAttributes<HTMLAnchorElement>, "href">,
) {
  const { to, children, ...rest } = props;
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a {...rest} href={BASE + to} onClick={follow}>
      {children}
    </a>
  );
}
