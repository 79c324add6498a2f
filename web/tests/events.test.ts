// Events in pieces of any size, and the tables that they change.
import assert from "node:assert/strict";
import test from "node:test";
import { changed, EventReader } from "../src/lib/events";

test("a stream is cut into events wherever its pieces end", () => {
  const text = 'retry: 1000\n\nid: a-1\nevent: links\ndata: {"set":[]}\n\n: beat\n\nid: a-2\nevent: jobs\ndata: x: y\n\n';
  for (let size = 1; size <= text.length; ++size) {
    const reader = new EventReader();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...reader.push(text.slice(at, at + size)));
    const told = events.filter((one) => one.event);
    assert.deepEqual(told, [
      { id: "a-1", event: "links", data: '{"set":[]}' },
      { id: "a-2", event: "jobs", data: "x: y" },
    ]);
  }
});

test("a change sets rows and takes rows away; a whole table takes the place of the old one", () => {
  const one = changed(new Map(), { full: true, set: [{ id: "a" }, { id: "b" }] });
  const two = changed(one, { set: [{ id: "c" }], gone: ["a"] });
  assert.deepEqual([...one.keys()], ["a", "b"]);
  assert.deepEqual([...two.keys()], ["b", "c"]);
  assert.deepEqual([...changed(two, { full: true, set: [{ id: "d" }] }).keys()], ["d"]);
});
