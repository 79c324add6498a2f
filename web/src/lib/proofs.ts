// Proofs of a site's log, checked in the browser with nothing but the proof: the Merkle tree of
// RFC 6962 (its verification as RFC 9162, 2.1.3.2 and 2.1.4.2 have it), checkpoints and signatures
// of C2SP (signed-note, tlog-checkpoint, tlog-cosignature). Computational.

export type Hash = Uint8Array;

export function from_hex(text: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw new Error("no hexadecimal text");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function to_hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export async function sha256(...parts: Uint8Array[]): Promise<Hash> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

function equal(x: Uint8Array, y: Uint8Array): boolean {
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Of a record: a leaf over its salted commitment. */
export async function leaf_of(salt: string, text: string): Promise<Hash> {
  const commitment = await sha256(from_hex(salt), new TextEncoder().encode(text));
  return sha256(LEAF, commitment);
}

/** Whether `leaf` is number `index` of the `size` leaves under `root`. */
export async function is_included(leaf: Hash, index: number, size: number, proof: Hash[], root: Hash): Promise<boolean> {
  if (index >= size) return false;
  let [fn, sn, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = await sha256(NODE, sibling, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = await sha256(NODE, hash, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && equal(hash, root);
}

/** Whether the tree of `size` leaves under `root` begins with the one of `before` under `root_before`. */
export async function is_consistent(
  before: number,
  root_before: Hash,
  size: number,
  root: Hash,
  proof: Hash[],
): Promise<boolean> {
  if (before === size) return proof.length === 0 && equal(root_before, root);
  if (before < 1 || before > size) return false;
  const path = Number.isInteger(Math.log2(before)) ? [root_before, ...proof] : [...proof];
  let [fn, sn] = [before - 1, size - 1];
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  const first = path.shift();
  if (!first) return false;
  let [old, now] = [first, first];
  for (const one of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      old = await sha256(NODE, one, old);
      now = await sha256(NODE, one, now);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      now = await sha256(NODE, now, one);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && equal(old, root_before) && equal(now, root);
}

export interface Signature {
  name: string;
  key_id: Uint8Array;
  bytes: Uint8Array;
  /** Of a witness: when it signed, in seconds since 1970; null of the log itself. */
  seconds: number | null;
}
export interface Note {
  body: string;
  origin: string;
  size: number;
  root: Hash;
  signatures: Signature[];
}

function from_base64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

export function parse_note(text: string): Note {
  const end = text.indexOf("\n\n");
  const body = text.slice(0, end + 1);
  const [origin, size, root] = body.split("\n");
  if (end < 0 || !origin || !size || !/^[0-9]+$/.test(size) || !root) throw new Error("no checkpoint");
  const signatures = text
    .slice(end + 2)
    .split("\n")
    .filter((line) => line.startsWith("— "))
    .map((line) => {
      const [, name = "", value = ""] = line.split(" ");
      const all = from_base64(value);
      const witness = all.length === 4 + 8 + 64;
      const seconds = witness ? Number(new DataView(all.buffer).getBigUint64(4)) : null;
      return { name, key_id: all.slice(0, 4), bytes: all.slice(witness ? 12 : 4), seconds };
    });
  return { body, origin, size: Number(size), root: from_base64(root), signatures };
}

/** Whether the holder of an Ed25519 key signed the note under that name. "unable": this browser
 *  does not know Ed25519. */
export async function signed_by(note: Note, signature: Signature, key: string): Promise<"yes" | "no" | "unable"> {
  const raw = from_hex(key);
  const kind = Uint8Array.of(signature.seconds === null ? 1 : 4);
  const encoder = new TextEncoder();
  const id = (await sha256(encoder.encode(`${signature.name}\n`), kind, raw)).slice(0, 4);
  if (!equal(id, signature.key_id)) return "no";
  const message = signature.seconds === null ? note.body : `cosignature/v1\ntime ${signature.seconds}\n${note.body}`;
  try {
    const imported = await crypto.subtle.importKey("raw", joined(raw), "Ed25519", false, ["verify"]);
    const good = await crypto.subtle.verify("Ed25519", imported, joined(signature.bytes), encoder.encode(message));
    return good ? "yes" : "no";
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "NotSupportedError") return "unable";
    throw problem;
  }
}
