// Runs the test vectors with biscuit-wasm and the code of the implementers' page, and writes its findings as JSON.
//
//     node --experimental-wasm-modules vectors.mjs FOLDER
//
// The program only reports; the test that runs it compares. It must be in one folder with the code of the page and the
// installed package.

import { readFileSync } from "node:fs";
import path from "node:path";

import { Biscuit, BlockBuilder, PublicKey, SignatureAlgorithm } from "@biscuit-auth/biscuit-wasm";

import { checkNewer, openKeyset, publicKey, Refused, rootKey } from "./keyset.mjs";
import { array, narrow } from "./narrow.mjs";
import { keyId, message, read, verified } from "./read.mjs";

function load(name) {
  const file = JSON.parse(readFileSync(path.join(process.argv[2], `${name}.json`)));
  if (file.format !== 1) throw new Error(`${name}.json has a format that is not known here`);
  return file;
}

/** Returns a token that the page's code has verified, under the root key that the token names. */
function opened(token, trusted, now) {
  return verified(token, rootKey(trusted, keyId(token), now));
}

/** Returns true if biscuit-wasm alone verifies the signatures, from the root key that the token names. */
function verifies(token, trusted, now) {
  const named = verdict(() => rootKey(trusted, keyId(token), now));
  if (typeof named === "string" && named !== "malformed") return false;
  // The page's code refuses unsigned fields around the blocks, which the library may ignore.
  const root = typeof named === "string" ? publicKey(trusted.keys[0].public) : named;
  try {
    Biscuit.fromBase64(token, PublicKey.fromBytes(root, SignatureAlgorithm.Ed25519));
  } catch {
    return false;
  }
  return true;
}

function verdict(action) {
  try {
    return action();
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

function each(cases, found) {
  return Object.fromEntries(cases.map((one) => [one.name, found(one)]));
}

function keysets() {
  const file = load("keysets");
  const found = (one) => {
    const [text, now] = [Buffer.from(one.file), new Date(one.time)];
    const keyset = openKeyset(text, one.keyset_key);
    if (one.in_use !== undefined) {
      const used = Buffer.from(one.in_use);
      checkNewer(text, keyset, used, openKeyset(used, one.keyset_key));
    }
    const reason = verdict(() => opened(file.token, keyset, now) && "allow");
    return `accepted, ${reason}`;
  };
  return each(file.cases, (one) => verdict(() => found(one)));
}

function tokens() {
  const file = load("tokens");
  const trusted = openKeyset(Buffer.from(file.keyset), file.keyset_key);
  return each(file.cases, (one) => {
    const now = new Date(one.time);
    const signatures = verifies(one.token, trusted, now) ? "valid" : "invalid";
    const verified = verdict(() => opened(one.token, trusted, now) && true) === true;
    const shown = one.reads || one.unreadable;
    const content = () => read(one.token, rootKey(trusted, keyId(one.token), now));
    const reads = shown ? verdict(content) : null;
    return { signatures, verified, reads: typeof reads === "string" ? null : reads };
  });
}

// The beginning of the condition on an exact array, which is the last one of its case.
const ARRAY = "$e0 == ";

function narrowings() {
  const file = load("narrowings");
  const trusted = openKeyset(Buffer.from(file.keyset), file.keyset_key);
  return each(file.cases, (one) => {
    const block = new BlockBuilder();
    const [start] = one.datalog.split(ARRAY, 1);
    block.addCode(one.array ? `${start}${ARRAY}${array(one.array)};` : one.datalog);
    const token = opened(one.parent, trusted, new Date(one.time)).appendBlock(block);
    const [, , blocks] = message(Buffer.from(token.toBytes()), "n b! b* b!");
    const [content] = message(blocks.at(-1), "b! b! b! - n");
    return { block: content.toString("hex"), token: token.toBase64() };
  });
}

/** The narrowing on the page, with the values of the file. */
function page() {
  const file = load("narrowings");
  const { time, parent, delegate, vendor, amount, expires } = file.page;
  const trusted = openKeyset(Buffer.from(file.keyset), file.keyset_key);
  const root = rootKey(trusted, keyId(parent), new Date(time));
  return narrow(parent, root, { delegate, vendor, amount, expires: new Date(expires) });
}

// biscuit-wasm writes to standard output when it is loaded, so the findings are the last line.
process.stdout.write(
  `\n${JSON.stringify({ keysets: keysets(), tokens: tokens(), narrowings: narrowings(), page: page() })}\n`,
);
