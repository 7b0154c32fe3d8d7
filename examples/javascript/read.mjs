// Reads a Bailiwick token: who got it, who handed it on, and when it expires.
//
// Reading decides nothing: a token that can be read may be revoked, or be one that no verifier admits.

import { Biscuit, PublicKey, SignatureAlgorithm } from "@biscuit-auth/biscuit-wasm";

import { orMalformed, Refused } from "./keyset.mjs";

// The default symbols of Biscuit. The symbols of a token are numbered from 1024.
const DEFAULT = `read write resource operation right time role owner tenant namespace user team service admin email
group member ip_address client client_ip domain path version cluster node hostname nonce query`.split(/\s+/);

// Messages of Biscuit's schema. Each word is a field, numbered from 1: `n`umber or `b`ytes, `!` required, `*` repeated,
// and `-` refused.
const [TOKEN, SIGNED_BLOCK, KEY, PROOF] = ["n b! b* b!", "b! b! b! - n", "n! b!", "b b"];
const [BLOCK, FACT, PREDICATE] = ["b* b n b* b* b* b* b*", "b!", "n! b*"];
const [TERM, CHECK, QUERY, EXPRESSION] = ["n n n n b n b b b b", "b* n", "b! b* b* b*", "b*"];
const [OPERATION, BINARY] = ["b b b b", "n! n"];

const [VARIABLE, INTEGER, STRING, DATE, BYTES] = [1, 2, 3, 4, 5];
const [VALUE, OPERATOR] = [1, 3];
const [LESS, LESS_OR_EQUAL, GREATER_OR_EQUAL] = [0n, 2n, 3n];

/** 9999-12-31T23:59:59Z, the last second that RFC 3339 can write. */
export const LAST = 253402300799n;

/** Returns the id of a token's root key. It is a hint, and not signed. */
export function keyId(token) {
  const [id] = orMalformed(() => container(token));
  return id === undefined ? null : Number(id);
}

/** Returns a token after its signatures were verified, from the root key to the last block. */
export function verified(token, root) {
  keyId(token);
  try {
    return Biscuit.fromBase64(token, PublicKey.fromBytes(root, SignatureAlgorithm.Ed25519));
  } catch (error) {
    throw new Refused("bad_signature", { cause: error });
  }
}

/**
 * Returns the claims of a token, the chain of its appended blocks, and its validity period.
 *
 * The root key and the holders signed all of it, and nothing else is checked. No verifier need admit the token, every
 * text, also `agent`, can hold any characters, and the issuer must still be compared with that of the keyset.
 */
export function read(token, root) {
  // Serialized again by the library, so that the bytes read here are those whose signatures it verified.
  const text = verified(token, root).toBase64();
  return orMalformed(() => contents(container(text)));
}

function contents([, first, rest, proof]) {
  const envelopes = [first, ...rest].map((block) => message(block, SIGNED_BLOCK));
  const symbols = [];
  const blocks = envelopes.map(([data]) => new Block(data, symbols));
  const [authority, ...appended] = blocks;
  if (authority.claim("profile", STRING) !== "bailiwick/1") throw new Refused("not_profile");
  // A holder's limits do not stand in for those of the issuer.
  if (!authority.begins.length || !authority.ends.length) throw new Refused("not_profile");
  // Every block must allow a call, so the latest start time and the earliest expiry count.
  const begins = blocks.flatMap((block) => block.begins);
  const ends = blocks.flatMap((block) => block.ends);
  return {
    issuer: authority.claim("issuer", STRING),
    token_id: authority.claim("token_id", BYTES).toString("hex"),
    agent: authority.claim("agent", STRING),
    principal: authority.claim("principal", STRING),
    tenant: authority.described("tenant"),
    issued_at: rfc3339(authority.claim("issued_at", DATE)),
    not_before: rfc3339(begins.reduce((a, b) => (a > b ? a : b))),
    expires: rfc3339(ends.reduce((a, b) => (a < b ? a : b))),
    sealed: one(proof, PROOF).kind === 2,
    revocation_id: envelopes[0][2].toString("hex"),
    chain: appended.map((block, index) => ({
      delegate: block.described("delegate"),
      task: block.described("task"),
      revocation_id: envelopes[index + 1][2].toString("hex"),
    })),
  };
}

/** The facts of a block, and the time limits among its checks. */
class Block {
  constructor(data, symbols) {
    const [added, , , facts, , checks] = message(data, BLOCK);
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    // A block uses its own symbols and those of all blocks before it.
    symbols.push(...added.map((text) => utf8.decode(text)));
    this.symbols = symbols;
    this.facts = facts.map((fact) => this.predicate(...message(fact, FACT)));
    const limits = checks.map((check) => this.limit(...message(check, CHECK)));
    const times = (kind) => limits.filter((limit) => limit?.kind === kind).map(({ time }) => time);
    this.begins = times("begins");
    this.ends = times("ends");
  }

  /** Returns the value of the one fact of this name. */
  claim(name, kind) {
    const found = this.facts.filter((fact) => fact.name === name);
    const [[value] = []] = found.map(({ terms }) => terms);
    if (found.length !== 1 || found[0].terms.length !== 1 || value.kind !== kind) {
      throw new Refused("not_profile");
    }
    return value.value;
  }

  /** Returns a description if there is exactly one. Holders write these, and no decision depends on them. */
  described(name) {
    try {
      return this.claim(name, STRING);
    } catch {
      return null;
    }
  }

  /** Reads `check if time($t), $t < D`, also with `<=` or `>=`. Returns `null` for other checks. */
  limit(queries, kind = 0n) {
    const bodies = queries.map((query) => message(query, QUERY));
    if (bodies.length !== 1 || kind !== 0n) return null;
    const [[, predicates, expressions, scopes]] = bodies;
    const operations = expressions
      .flatMap((expression) => message(expression, EXPRESSION)[0])
      .map((operation) => one(operation, OPERATION));
    if (scopes.length || predicates.length !== 1 || expressions.length !== 1) return null;
    const { name, terms } = this.predicate(predicates[0]);
    const kinds = operations.map((operation) => operation.kind);
    if (name !== "time" || String(kinds) !== String([VALUE, VALUE, OPERATOR])) return null;
    const [variable, limit] = operations.slice(0, 2).map(({ value }) => this.term(value));
    const same = [...terms, variable].every(
      (term) => term.kind === VARIABLE && term.value === variable.value,
    );
    if (!same || terms.length !== 1 || limit.kind !== DATE) return null;
    const [compared] = message(operations[2].value, BINARY);
    const time = limit.value + (compared === LESS_OR_EQUAL ? 1n : 0n);
    // Verifiers take a later time for a check like any other.
    if (time > LAST || ![LESS, LESS_OR_EQUAL, GREATER_OR_EQUAL].includes(compared)) return null;
    return { kind: compared === GREATER_OR_EQUAL ? "begins" : "ends", time };
  }

  predicate(data) {
    const [name, terms] = message(data, PREDICATE);
    return { name: this.symbol(name), terms: terms.map((term) => this.term(term)) };
  }

  /** Returns the kind of a term and its value, which stays bytes if the kind is not needed here. */
  term(data) {
    const { kind, value } = one(data, TERM);
    if (kind === INTEGER) return { kind, value: BigInt.asIntN(64, value) };
    return { kind, value: kind === VARIABLE || kind === STRING ? this.symbol(value) : value };
  }

  symbol(number) {
    const symbol = number < 1024n ? DEFAULT[number] : this.symbols[number - 1024n];
    if (symbol === undefined) throw new Refused("malformed");
    return symbol;
  }
}

/** Returns the fields of a token: the id of its root key, the blocks, and the proof. */
function container(token) {
  const data = Buffer.from(token, "base64url");
  // `Buffer` ignores characters that are not base64, and bits that are left over.
  const form = data.toString("base64url");
  const padded = form.padEnd(Math.ceil(form.length / 4) * 4, "=");
  if (![form, padded].includes(token) || data.length > 8192) throw new Refused("malformed");
  const fields = message(data, TOKEN);
  for (const block of [fields[1], ...fields[2]]) message(message(block, SIGNED_BLOCK)[1], KEY);
  one(fields[3], PROOF);
  return fields;
}

/** Returns the number and the value of the only field of a message. */
function one(data, schema) {
  const all = message(data, schema).map((value, index) => ({ kind: index + 1, value }));
  const found = all.filter(({ value }) => value !== undefined);
  if (found.length !== 1) throw new Refused("malformed");
  return found[0];
}

/**
 * Returns the fields of a protobuf message: a list for a repeated field, and `undefined` for a missing one.
 *
 * Refuses what readers could skip or read in two ways: unknown fields, second values, and numbers in a longer form than
 * needed. Signatures do not cover most of that.
 */
export function message(data, schema) {
  const kinds = schema.split(" ");
  const fields = kinds.map((kind) => (kind.endsWith("*") ? [] : undefined));
  let at = 0;
  const number = () => {
    for (let [value, shift] = [0n, 0n]; ; shift += 7n) {
      const byte = data[at++];
      if (byte === undefined || (shift > 0n && byte === 0)) throw new Refused("malformed");
      value |= BigInt(byte & 0x7f) << shift;
      if (value >> 64n) throw new Refused("malformed");
      if (byte < 0x80) return value;
    }
  };
  while (at < data.length) {
    const tag = number();
    const place = Number(tag >> 3n) - 1;
    const kind = kinds[place] ?? "-";
    if (kind[0] !== { 0: "n", 2: "b" }[tag & 7n]) throw new Refused("malformed");
    let value = number();
    if (kind[0] === "b") {
      const end = at + Number(value);
      value = data.subarray(at, end);
      at = end;
    }
    const repeated = kind.endsWith("*");
    if (at > data.length || (!repeated && fields[place] !== undefined)) {
      throw new Refused("malformed");
    }
    if (repeated) fields[place].push(value);
    else fields[place] = value;
  }
  if (kinds.some((kind, index) => kind.endsWith("!") && fields[index] === undefined)) {
    throw new Refused("malformed");
  }
  return fields;
}

function rfc3339(seconds) {
  if (seconds > LAST) throw new Refused("malformed");
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}

/**
 * Escapes control characters, line breaks and other characters that do not print, and the backslash.
 *
 * For terminals and logs. This does not escape HTML.
 */
export function visible(text) {
  return text.replace(/(?! )[\p{C}\p{Z}\\]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}
