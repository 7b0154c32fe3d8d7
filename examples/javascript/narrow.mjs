// Narrows a Bailiwick token for a sub-agent with biscuit-wasm: offline, with public keys only.

import { BlockBuilder, prepareTerm } from "@biscuit-auth/biscuit-wasm";

import { verified } from "./read.mjs";

// Values are passed as parameters. A value pasted into the text could end its string and change the block.
const ORDER = `
delegate({delegate});
check if service("erp"), action("purchase_order:create"),
    args($n), {"", "amount", "currency", "vendor"}.contains($n),
    num("amount", $m0), $m0 <= {amount},
    arg("vendor", {vendor});
check if time($t), $t < {expires};
`;

/** Returns a token that can only order, at one vendor, up to an amount, until a time. */
export function narrow(token, root, { delegate, vendor, amount, expires }) {
  const parent = verified(token, root);
  // Verifiers refuse tokens beyond these limits, but the library appends blocks anyway.
  if (parent.countBlocks() >= 16) throw new RangeError("the token already has 16 blocks");
  const values = {
    delegate: text(delegate),
    vendor: text(vendor),
    amount: millionths(amount),
    expires: date(expires),
  };
  const terms = Object.entries(values).map(([name, value]) => [name, prepareTerm(value)]);
  const block = new BlockBuilder();
  block.addCodeWithParameters(ORDER, Object.fromEntries(terms), {});
  const child = parent.appendBlock(block);
  if (child.toBytes().length > 8192) throw new RangeError("the narrowed token would be longer than 8 KiB");
  return child.toBase64();
}

/** Returns a string. An object from JSON input could pass for a date or a set. */
function text(value) {
  if (typeof value !== "string") throw new TypeError("expected a string");
  return value;
}

/** Returns a date. One before 1970 would cause a WebAssembly trap, and another value a term of another type. */
function date(value) {
  if (!(value instanceof Date) || !(value >= 0)) throw new TypeError("expected a date since 1970");
  return value;
}

/** Converts decimal text to whole millionths, in which verifiers compare. Never start from a binary float. */
function millionths(number) {
  const [, sign, whole, places = ""] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(text(number)) ?? [];
  const scaled = whole === undefined ? null : BigInt(`${sign}${whole}${places.padEnd(6, "0")}`);
  if (scaled === null || BigInt.asIntN(64, scaled) !== scaled) {
    throw new RangeError(`${number} is not a number of whole millionths within 64 bits`);
  }
  return scaled;
}
