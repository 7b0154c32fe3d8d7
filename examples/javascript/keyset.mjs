// Reads the signed keyset of a Bailiwick issuer, and finds the root key of a token in it.

import { createHash, createPublicKey, verify } from "node:crypto";

const TYPE = "application/vnd.bailiwick.keyset.v1+json";
const SKEW = 60_000;

// Points of small order, and second encodings of points, without the sign bit. A key of small order verifies
// signatures that nobody made.
const WEAK = new RegExp(
  "^(0[01](00){31}|(e[c-f]|f.)(ff){30}7f" +
    "|26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05" +
    "|c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a)$",
);

/** Refusal of a file or a token. The message is the reason. */
export class Refused extends Error {}

/** Returns the keyset in a signed file if `keysetKey` (`ed25519/` and hexadecimal digits) signed it. */
export function openKeyset(file, keysetKey) {
  return orMalformed(() => {
    if (file.length > 4 << 20) throw new Refused("too_large");
    // The payload must not be parsed before its signature is verified.
    const keyset = parse(openEnvelope(file, TYPE, keysetKey));
    check(keyset);
    return keyset;
  });
}

/** Returns the payload of a DSSE envelope of this type if `keysetKey` signed it. */
export function openEnvelope(file, kind, keysetKey) {
  return orMalformed(() => {
    const envelope = parse(file);
    const [found, payload] = [text(envelope.payloadType), unbase64(envelope.payload)];
    const signatures = list(envelope.signatures).map(({ sig }) => unbase64(sig));
    if (signatures.length > 8) throw new Refused("malformed");
    if (found !== kind) throw new Refused("wrong_type");
    // The lengths fix the border between type and payload.
    const head = `DSSEv1 ${Buffer.byteLength(kind)} ${kind} ${payload.length} `;
    const message = Buffer.concat([Buffer.from(head), payload]);
    const x = publicKey(keysetKey).toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    if (!signatures.some((signature) => verify(null, message, key, signature))) {
      throw new Refused("not_signed");
    }
    return payload;
  });
}

/** Refuses a keyset that is malformed or contradicts itself, whoever signed it. */
function check({ issuer, keys, tombstones = [], ...more }) {
  [more.version, more.refresh_hint, more.max_token_ttl].forEach(integer);
  if (text(issuer) === "") throw new Refused("malformed");
  if (more.revocation_url != null) text(more.revocation_url);
  for (const { alg, state, public: key, not_after } of list(keys)) {
    if (alg !== "ed25519" || !["staged", "active", "retiring"].includes(state)) {
      throw new Refused("malformed");
    }
    publicKey(key);
    if (not_after != null) time(not_after);
  }
  for (const { reason, revoked_at } of list(tombstones)) [text(reason), time(revoked_at)];
  const ids = [...keys, ...tombstones].map(({ id }) => text(id));
  if (!ids.every((id) => /^[0-9a-f]{8}$/.test(id))) throw new Refused("malformed");
  if (time(more.expires) <= time(more.issued_at)) throw new Refused("no_life");
  if (keys.length > 64 || tombstones.length > 1024) throw new Refused("too_many");
  if (keys.filter(({ state }) => state === "active").length > 1) throw new Refused("many_active");
  for (const key of keys) {
    // Computed, not trusted: a wrong id would match tokens with a key that did not sign them.
    const digest = createHash("sha256").update(issuer).update(publicKey(key.public)).digest("hex");
    if (digest.slice(0, 8) !== key.id) throw new Refused("wrong_id");
  }
  if (new Set(ids).size !== ids.length) throw new Refused("duplicate");
}

/** Refuses a keyset that must not replace the one in use. */
export function checkNewer(file, keyset, usedFile, used) {
  if (keyset.issuer !== used.issuer) throw new Refused("other_issuer");
  if (keyset.version < used.version) throw new Refused("rollback");
  if (keyset.version === used.version && !file.equals(usedFile)) throw new Refused("fork");
}

/** Returns the public root key for the key id in a token's container. */
export function rootKey(keyset, keyId, now) {
  // Nothing compares with an invalid `now`, so each condition says what must hold.
  if (!(now < time(keyset.expires) && time(keyset.issued_at) <= now.getTime() + SKEW)) {
    throw new Refused("stale_keyset");
  }
  const name = keyId?.toString(16).padStart(8, "0");
  if ((keyset.tombstones ?? []).some(({ id }) => id === name)) throw new Refused("revoked_key");
  const key = keyset.keys.find(({ id }) => id === name);
  if (!key || !(key.not_after == null || now < time(key.not_after))) {
    throw new Refused("unknown_key");
  }
  return publicKey(key.public);
}

/** Returns the 32 bytes of a key in its text form. */
export function publicKey(key) {
  const [, digits] = /^ed25519\/([0-9a-f]{64})$/.exec(text(key)) ?? [];
  if (digits === undefined) throw new Refused("malformed");
  const [bytes, unsigned] = [Buffer.from(digits, "hex"), Buffer.from(digits, "hex")];
  unsigned[31] &= 0x7f;
  if (WEAK.test(unsigned.toString("hex"))) throw new Refused("malformed");
  return bytes;
}

/**
 * Parses JSON in UTF-8, and refuses text that two readers could read differently. Integers become `BigInt` if they have
 * no sign and at most 20 digits, as all known members do.
 */
export function parse(bytes) {
  const source = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  JSON.parse(source); // The code below needs valid JSON.
  const tokens = source.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"[\]{},:]+|[[\]{},:]/g);
  const next = () => tokens.next().value[0];
  const value = (token, depth) => {
    if (depth > 16) throw new Refused("malformed");
    if (token === "{") {
      const members = Object.create(null);
      for (let at = next(); at !== "}"; at = next()) {
        const name = JSON.parse(at === "," ? next() : at);
        next(); // The colon.
        // `JSON.parse` would keep the second one.
        if (name in members) throw new Refused("malformed");
        members[name] = value(next(), depth + 1);
      }
      return members;
    }
    if (token === "[") {
      const items = [];
      for (let at = next(); at !== "]"; at = next()) {
        items.push(value(at === "," ? next() : at, depth + 1));
      }
      return items;
    }
    // `BigInt` takes a second for millions of digits, before any signature is verified.
    return /^\d{1,20}$/.test(token) ? BigInt(token) : JSON.parse(token);
  };
  return value(next(), 0);
}

/** Reads base64 in either alphabet, with or without padding, as DSSE requires. */
export function unbase64(encoded) {
  const bytes = Buffer.from(text(encoded), "base64");
  // `Buffer` ignores characters that are not base64, and bits that are left over.
  const standard = bytes.toString("base64");
  const forms = [standard, standard.replaceAll("+", "-").replaceAll("/", "_")];
  if (!forms.some((form) => encoded === form || encoded === form.replace(/=+$/, ""))) {
    throw new Refused("malformed");
  }
  return bytes;
}

function text(value) {
  if (typeof value !== "string" || !value.isWellFormed()) throw new Refused("malformed");
  return value;
}

function list(value) {
  if (!Array.isArray(value)) throw new Refused("malformed");
  return value;
}

function integer(value) {
  if (typeof value !== "bigint" || value >= 1n << 64n) throw new Refused("malformed");
  return value;
}

/** Reads a time from 1970 to 9999 in the only form that issuers write, such as `2026-11-23T12:00:00Z`. */
function time(value) {
  const time = new Date(text(value));
  // Other years have a sign and six digits.
  const written = value.length === 20 && time.toISOString() === value.replace("Z", ".000Z");
  if (!written || time < 0) throw new Refused("malformed");
  return time;
}

/** Turns every error that malformed data causes into `Refused`. */
export function orMalformed(read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refused ? error : new Refused("malformed", { cause: error });
  }
}
