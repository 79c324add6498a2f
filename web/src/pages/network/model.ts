// The network as the page draws it: links with the figures of both ends, sites with their places.
// Pure; the tests use it without a browser.
import type { EdgeRow, LinkRow, SiteRow, Table } from "../../lib/live";

/** Seconds until a direction of a link is used up at present rates; Infinity: it does not get less. */
export function seconds_left(residual: number, inflow: number, outflow: number): number {
  return outflow > inflow ? (residual * 8) / (outflow - inflow) : Infinity;
}

export type Health = "ready" | "low" | "empty" | "unknown";

/** One direction of a link; null: it is not known. */
export interface Way {
  from: string;
  to: string;
  residual: number | null;
  inflow: number | null;
  outflow: number | null;
  seconds_left: number | null;
}
export interface NetLink {
  id: string;
  a: string;
  b: string;
  class: string;
  paths: number;
  ways: [Way, Way];
  health: Health;
  residual: number | null; // the smaller of both directions
  seconds_left: number | null; // the sooner; Infinity: neither shrinks
  own: LinkRow | null;
}

const LOW_BYTES = 8 * 1024 * 1024; // of links that say no state themselves

const STILL_MS = 60_000; // a foreign link without a change for so long does not shrink

/** Residual key of a foreign link at earlier looks, for its forecast. */
export type Trend = Map<string, { at: number; residual: number; slope: number | null }>;

function own_way(from: string, to: string, row: LinkRow, sends: boolean): Way {
  const direction = sends ? row.send : row.receive;
  const residual = sends ? direction.residual_bytes : direction.available_bytes;
  return {
    from,
    to,
    residual,
    inflow: direction.inflow_bits_per_second,
    outflow: direction.outflow_bits_per_second,
    seconds_left: seconds_left(
      residual,
      direction.inflow_bits_per_second,
      direction.outflow_bits_per_second,
    ),
  };
}

function seen_way(from: string, to: string, end: EdgeRow["there"], trend: Trend, now: number): Way {
  if (!end) return { from, to, residual: null, inflow: null, outflow: null, seconds_left: null };
  const key = `${from}>${to}`;
  const before = trend.get(key);
  let slope = before?.slope ?? null;
  const changed = before !== undefined && before.residual !== end.residual_bytes;
  if (before && now - before.at >= (changed ? 1 : STILL_MS)) {
    slope = ((end.residual_bytes - before.residual) * 1000) / (now - before.at);
  }
  if (!before || changed) trend.set(key, { at: now, residual: end.residual_bytes, slope });
  return {
    from,
    to,
    residual: end.residual_bytes,
    inflow: end.inflow_bits_per_second,
    outflow: null,
    seconds_left: slope === null ? null : slope < 0 ? end.residual_bytes / -slope : Infinity,
  };
}

function health_of(ways: [Way, Way], own: LinkRow | null): Health {
  if (own) {
    const states = [own.send.state, own.receive.state];
    if (states.includes("empty")) return "empty";
    return states.every((state) => state === "ready") ? "ready" : "low";
  }
  const known = ways.map((way) => way.residual).filter((value) => value !== null);
  if (known.length === 0) return "unknown";
  const least = Math.min(...known);
  return least <= 0 ? "empty" : least < LOW_BYTES ? "low" : "ready";
}

export function least(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length ? Math.min(...known) : null;
}

export function link_of(edge: EdgeRow, own_site: string, links: Table<LinkRow>, trend: Trend, now: number): NetLink {
  const peer = edge.a === own_site ? edge.b : edge.b === own_site ? edge.a : "";
  const own = (peer && links.get(peer)) || null;
  const ways: [Way, Way] = own
    ? [own_way(edge.a, edge.b, own, edge.a === own_site), own_way(edge.b, edge.a, own, edge.b === own_site)]
    : [seen_way(edge.a, edge.b, edge.there, trend, now), seen_way(edge.b, edge.a, edge.back, trend, now)];
  return {
    id: edge.id,
    a: edge.a,
    b: edge.b,
    class: edge.class,
    paths: edge.paths,
    ways,
    health: health_of(ways, own),
    residual: least(ways.map((way) => way.residual)),
    seconds_left: least(ways.map((way) => way.seconds_left)),
    own,
  };
}

export interface Spot {
  x: number;
  y: number;
  /** Where its name goes, away from the middle. */
  side: "left" | "right" | "below" | "above";
}
export const WIDTH = 1000;
export const HEIGHT = 600;
const CIRCLE = 60; // sites that fit on one

/** A place for every site: on an ellipse by region; of very many, those with most links inside. */
export function places(sites: SiteRow[], degrees: Map<string, number>): Map<string, Spot> {
  const spots = new Map<string, Spot>();
  const middle = { x: WIDTH / 2, y: HEIGHT / 2 };
  if (sites.length <= CIRCLE) {
    const order = [...sites].sort(
      (x, y) =>
        Number(y.controller) - Number(x.controller) ||
        x.region.localeCompare(y.region) ||
        x.site.localeCompare(y.site),
    );
    order.forEach((site, i) => {
      const angle = (2 * Math.PI * i) / order.length - Math.PI / 2;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const side = Math.abs(c) < 0.35 ? (s < 0 ? "above" : "below") : c < 0 ? "left" : "right";
      const round = (value: number) => Math.round(value * 10) / 10;
      spots.set(site.site, { x: round(middle.x + 370 * c), y: round(middle.y + 235 * s), side });
    });
    return spots;
  }
  const order = [...sites].sort(
    (x, y) => (degrees.get(y.site) ?? 0) - (degrees.get(x.site) ?? 0) || x.site.localeCompare(y.site),
  );
  const golden = Math.PI * (3 - Math.sqrt(5));
  order.forEach((site, i) => {
    const radius = Math.sqrt(i / order.length);
    spots.set(site.site, {
      x: Math.round(middle.x + 470 * radius * Math.cos(i * golden)),
      y: Math.round(middle.y + 280 * radius * Math.sin(i * golden)),
      side: "below",
    });
  });
  return spots;
}

/** 1 to 6, by powers of ten from a megabyte. */
export function thickness(residual: number | null): number {
  if (residual === null || residual <= 0) return 1.5;
  return Math.min(6, Math.max(1.5, 1.5 + Math.log10(residual / 1e6) * 1.2));
}
