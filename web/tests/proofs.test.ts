// Proofs against a tree that is computed in the plainest way; every changed byte must be found.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import test from "node:test";
import { is_consistent, is_included, leaf_of, parse_note, sha256, signed_by, to_hex } from "../src/lib/proofs";

type Hash = Uint8Array;
const node = (left: Hash, right: Hash) => sha256(Uint8Array.of(1), left, right);
const half = (n: number) => 2 ** (Math.ceil(Math.log2(n)) - 1);

async function root(leaves: Hash[]): Promise<Hash> {
  if (leaves.length === 1) return leaves[0] as Hash;
  const k = half(leaves.length);
  return node(await root(leaves.slice(0, k)), await root(leaves.slice(k)));
}
async function inclusion(index: number, leaves: Hash[]): Promise<Hash[]> {
  if (leaves.length <= 1) return [];
  const k = half(leaves.length);
  return index < k
    ? [...(await inclusion(index, leaves.slice(0, k))), await root(leaves.slice(k))]
    : [...(await inclusion(index - k, leaves.slice(k))), await root(leaves.slice(0, k))];
}
async function consistency(before: number, leaves: Hash[], whole = true): Promise<Hash[]> {
  if (before === leaves.length) return whole ? [] : [await root(leaves)];
  const k = half(leaves.length);
  return before <= k
    ? [...(await consistency(before, leaves.slice(0, k), whole)), await root(leaves.slice(k))]
    : [...(await consistency(before - k, leaves.slice(k), false)), await root(leaves.slice(0, k))];
}
const flipped = (hash: Hash) => hash.map((byte, i) => (i === 5 ? byte ^ 4 : byte));

test("inclusion and growth hold for every size up to 17, and for nothing that was changed", async () => {
  const leaves = await Promise.all(Array.from({ length: 17 }, (_, i) => sha256(Uint8Array.of(0, i))));
  for (let size = 1; size <= leaves.length; ++size) {
    const part = leaves.slice(0, size);
    const top = await root(part);
    for (let i = 0; i < size; ++i) {
      const leaf = part[i] as Hash;
      const proof = await inclusion(i, part);
      assert.ok(await is_included(leaf, i, size, proof, top), `${i} of ${size}`);
      assert.ok(!(await is_included(flipped(leaf), i, size, proof, top)));
      assert.ok(!(await is_included(leaf, i, size, proof, flipped(top))));
      assert.ok(!(await is_included(leaf, i, size, [...proof, leaf], top)));
      if (proof.length) assert.ok(!(await is_included(leaf, i, size, proof.slice(1), top)));
      if (size > 1) assert.ok(!(await is_included(leaf, (i + 1) % size, size, proof, top)));
    }
    for (let before = 1; before <= size; ++before) {
      const old = await root(part.slice(0, before));
      const proof = await consistency(before, part);
      assert.ok(await is_consistent(before, old, size, top, proof), `${before} of ${size}`);
      assert.ok(!(await is_consistent(before, flipped(old), size, top, proof)));
      assert.ok(!(await is_consistent(before, old, size, flipped(top), proof)));
      if (proof.length) assert.ok(!(await is_consistent(before, old, size, top, proof.slice(1))));
    }
  }
});

test("a checkpoint of C2SP is read, and its signatures are the key's or nobody's", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const body = `warifu.log/tommo\n7\n${Buffer.alloc(32, 9).toString("base64")}\n`;
  const id = async (name: string, kind: number) =>
    (await sha256(Buffer.from(`${name}\n`), Uint8Array.of(kind), raw)).slice(0, 4);
  const line = (name: string, bytes: Buffer) => `— ${name} ${bytes.toString("base64")}\n`;
  const own = Buffer.concat([await id("tommo", 1), sign(null, Buffer.from(body), privateKey)]);
  const seconds = Buffer.alloc(8);
  seconds.writeBigUInt64BE(1_790_000_000n);
  const message = Buffer.from(`cosignature/v1\ntime 1790000000\n${body}`);
  const witness = Buffer.concat([await id("lsa", 4), seconds, sign(null, message, privateKey)]);
  const note = parse_note(`${body}\n${line("tommo", own)}${line("lsa", witness)}`);
  assert.equal(note.size, 7);
  assert.deepEqual(note.signatures.map((one) => one.seconds), [null, 1_790_000_000]);
  for (const signature of note.signatures) {
    assert.equal(await signed_by(note, signature, raw.toString("hex")), "yes");
    assert.equal(await signed_by(note, { ...signature, bytes: flipped(signature.bytes) }, raw.toString("hex")), "no");
    assert.equal(await signed_by({ ...note, body: body.replace("7", "8") }, signature, raw.toString("hex")), "no");
    assert.equal(await signed_by(note, signature, to_hex(flipped(new Uint8Array(raw)))), "no");
  }
  assert.throws(() => parse_note("nothing"));
});

test("a record's leaf is over its salted commitment", async () => {
  const commitment = await sha256(new Uint8Array(16), Buffer.from("{}"));
  assert.deepEqual(await leaf_of("00".repeat(16), "{}"), await sha256(Uint8Array.of(0), commitment));
});
