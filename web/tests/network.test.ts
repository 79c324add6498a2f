// The network as it is drawn.
import assert from "node:assert/strict";
import test from "node:test";
import type { EdgeRow, LinkRow, SiteRow } from "../src/lib/live";
import { link_of, places, seconds_left, thickness, type Trend } from "../src/pages/network/model";

const site = (name: string, more: Partial<SiteRow> = {}): SiteRow => ({
  id: name, site: name, own: false, controller: false, labels: [], region: "", accepts_shares: true,
  state: "up", why: "", code: "", reason: "", free_bytes: null, ...more,
});
const edge = (a: string, b: string, there: number | null): EdgeRow => {
  const end = there === null ? null : { residual_bytes: there, inflow_bits_per_second: 0, carries: true };
  return { id: `${a}|${b}`, a, b, class: "qkd", paths: 0, there: end, back: end };
};

test("key lasts as long as present rates say, and for ever when as much comes in", () => {
  assert.equal(seconds_left(1_000_000, 0, 8_000_000), 1);
  assert.equal(seconds_left(1_000_000, 8_000_000, 8_000_000), Infinity);
});

test("a foreign link has its forecast from two looks", () => {
  const trend: Trend = new Map();
  const first = link_of(edge("a", "b", 50_000_000), "c", new Map(), trend, 0);
  assert.equal(first.health, "ready");
  assert.equal(first.seconds_left, null);
  const second = link_of(edge("a", "b", 40_000_000), "c", new Map(), trend, 10_000);
  assert.equal(second.seconds_left, 40);
  assert.equal(link_of(edge("a", "b", 40_000_000), "c", new Map(), trend, 80_000).seconds_left, Infinity);
  assert.equal(link_of(edge("a", "b", null), "c", new Map(), trend, 0).health, "unknown");
  assert.equal(link_of(edge("a", "b", 0), "c", new Map(), trend, 0).health, "empty");
});

test("an own link shows both of its directions and the state that the site gives it", () => {
  const way = {
    state: "ready" as const, available_bytes: 9, residual_bytes: 5, leased_bytes: 0,
    quarantined_bytes: 0, inflow_bits_per_second: 1, outflow_bits_per_second: 2,
  };
  const row: LinkRow = {
    id: "b", peer: "b", class: "qkd", paths: 0, origins: [], carries_shares: true,
    send: way, receive: { ...way, state: "empty" }, devices: [],
  };
  const link = link_of(edge("a", "b", 1), "a", new Map([["b", row]]), new Map(), 0);
  assert.equal(link.health, "empty");
  assert.equal(link.residual, 5);
  assert.deepEqual(link.ways.map((one) => [one.from, one.residual]), [["a", 5], ["b", 9]]);
});

test("places are the same every time, inside the map, and one per site", () => {
  for (const count of [1, 2, 6, 60, 61, 1001]) {
    const sites = Array.from({ length: count }, (_, i) => site(`s${i}`, { controller: i === 3 }));
    const spots = places(sites, new Map([["s0", count]]));
    assert.deepEqual(spots, places([...sites].reverse(), new Map([["s0", count]])));
    assert.equal(new Set([...spots.values()].map((one) => `${one.x} ${one.y}`)).size, count);
    for (const spot of spots.values()) assert.ok(spot.x > 0 && spot.x < 1000 && spot.y > 0 && spot.y < 600);
  }
});

test("more key is a thicker line", () => {
  assert.ok(thickness(1e9) > thickness(1e7));
  assert.ok(thickness(null) > 0 && thickness(1e15) <= 6);
});
