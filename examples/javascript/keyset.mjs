// Reads the signed keyset of a Bailiwick issuer, and finds the root key of a token in it.

import { createHash, createPublicKey, verify } from "node:crypto";

const TYPE = "application/vnd.bailiwick.keyset.v1+json";
const SKEW = 60_000;

/** The keyset must not be used, or it has no key for the token. The message is the reason. */
export class Refused extends Error {}

/** Returns the keyset in a signed file if `keysetKey` (`ed25519/` and hexadecimal digits) signed it. */
export function openKeyset(file, keysetKey) {
  if (file.length > 4 << 20) throw new Refused("too_large");
  const { kind, payload, signatures } = orMalformed(() => {
    const envelope = JSON.parse(file);
    return {
      kind: text(envelope.payloadType),
      payload: unbase64(envelope.payload),
      signatures: envelope.signatures.map((signature) => unbase64(signature.sig)),
    };
  });
  if (kind !== TYPE) throw new Refused("wrong_type");
  if (signatures.length > 8) throw new Refused("malformed");
  // The lengths keep the border between type and payload from being moved.
  const head = `DSSEv1 ${Buffer.byteLength(kind)} ${kind} ${payload.length} `;
  const message = Buffer.concat([Buffer.from(head), payload]);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: publicKey(keysetKey).toString("base64url") },
    format: "jwk",
  });
  if (!signatures.some((signature) => verify(null, message, key, signature))) {
    throw new Refused("not_signed");
  }
  // Nothing of the payload is parsed before its signature was verified.
  return orMalformed(() => {
    const keyset = JSON.parse(payload);
    check(keyset);
    return keyset;
  });
}

/** Refuses a keyset that contradicts itself, whoever signed it. */
function check({ issuer, version, issued_at, expires, keys, tombstones = [] }) {
  if (text(issuer) === "" || !Number.isSafeInteger(version)) throw new Refused("malformed");
  if (time(expires) <= time(issued_at)) throw new Refused("no_life");
  if (keys.length > 64 || tombstones.length > 1024) throw new Refused("too_many");
  const ids = [...keys, ...tombstones].map(({ id }) => text(id));
  if (new Set(ids).size !== ids.length) throw new Refused("duplicate");
  if (keys.filter(({ state }) => state === "active").length > 1) throw new Refused("many_active");
  for (const key of keys) {
    if (key.alg !== "ed25519" || !["staged", "active", "retiring"].includes(key.state)) {
      throw new Refused("malformed");
    }
    // Derived again, not believed: a wrong id would send tokens to a key that did not sign them.
    const digest = createHash("sha256").update(issuer).update(publicKey(key.public)).digest("hex");
    if (digest.slice(0, 8) !== key.id) throw new Refused("wrong_id");
  }
}

/** Refuses a keyset that would undo the one in use. */
export function checkNewer(file, keyset, usedFile, used) {
  if (keyset.issuer !== used.issuer) throw new Refused("other_issuer");
  if (keyset.version < used.version) throw new Refused("rollback");
  if (keyset.version === used.version && !file.equals(usedFile)) throw new Refused("fork");
}

/** Returns the public root key that a token names by the number in its container. */
export function rootKey(keyset, keyId, now) {
  if (now >= time(keyset.expires) || time(keyset.issued_at) > now.getTime() + SKEW) {
    throw new Refused("stale_keyset");
  }
  const name = keyId?.toString(16).padStart(8, "0");
  if ((keyset.tombstones ?? []).some(({ id }) => id === name)) throw new Refused("revoked_key");
  const key = keyset.keys.find(({ id }) => id === name);
  if (!key || (key.not_after != null && now >= time(key.not_after))) {
    throw new Refused("unknown_key");
  }
  return publicKey(key.public);
}

/** Returns the 32 bytes of a key in its text form. */
export function publicKey(key) {
  const [, digits] = /^ed25519\/([0-9a-f]{64})$/.exec(key) ?? [];
  if (!digits) throw new Refused("malformed");
  return Buffer.from(digits, "hex");
}

/** Reads base64 in either alphabet, with or without padding, as DSSE asks. */
function unbase64(encoded) {
  const plain = text(encoded).replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "");
  const bytes = Buffer.from(plain, "base64");
  // Buffer skips what is not base64.
  if (bytes.toString("base64").replace(/=+$/, "") !== plain) throw new Refused("malformed");
  return bytes;
}

function text(value) {
  if (typeof value !== "string") throw new Refused("malformed");
  return value;
}

function time(value) {
  const time = new Date(text(value));
  if (Number.isNaN(time.getTime())) throw new Refused("malformed");
  return time;
}

function orMalformed(read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refused ? error : new Refused("malformed");
  }
}
