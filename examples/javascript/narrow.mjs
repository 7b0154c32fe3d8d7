// Narrows a Bailiwick token for a sub-agent with biscuit-wasm: offline, with public keys alone.

import { BlockBuilder, prepareTerm } from "@biscuit-auth/biscuit-wasm";

import { verified } from "./read.mjs";

// Values come in as parameters. A value that was put into the text could end its string and change the block.
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
  // Verifiers refuse what exceeds these limits, and the library appends all the same.
  if (parent.countBlocks() >= 16) throw new RangeError("the token has 16 blocks already");
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
  if (child.toBytes().length > 8192) throw new RangeError("the token would be longer than 8 KiB");
  return child.toBase64();
}

/** An object that came in as JSON could pass for a date or a set. */
function text(value) {
  if (typeof value !== "string") throw new TypeError("a string is needed");
  return value;
}

/** A date before 1970 is a trap of WebAssembly, and another value is a term of another type. */
function date(value) {
  if (!(value instanceof Date) || !(value >= 0)) throw new TypeError("a date since 1970 is needed");
  return value;
}

/** Numbers are compared in whole millionths. Never start from a binary float: "4200.50" is text. */
function millionths(number) {
  const [, sign, whole, places = ""] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(text(number)) ?? [];
  const scaled = whole === undefined ? null : BigInt(`${sign}${whole}${places.padEnd(6, "0")}`);
  if (scaled === null || BigInt.asIntN(64, scaled) !== scaled) {
    throw new RangeError(`${number} is no number of whole millionths within 64 bits`);
  }
  return scaled;
}
