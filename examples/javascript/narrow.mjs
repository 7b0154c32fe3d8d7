// Narrows a Bailiwick token for a sub-agent with biscuit-wasm: offline, with public keys only.

import { BlockBuilder, prepareTerm } from "@biscuit-auth/biscuit-wasm";

import { LAST, verified } from "./read.mjs";

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

/** Returns a string. An object from JSON input could pass for a date or a set, and half a character for another one. */
function text(value) {
  if (typeof value !== "string" || !value.isWellFormed()) throw new TypeError("expected a well-formed string");
  return value;
}

/** Returns a date that tokens can state. Others cause a WebAssembly trap, and other values a term of another type. */
function date(value) {
  const end = (Number(LAST) + 1) * 1000;
  if (!(value instanceof Date) || !(value >= 0 && value < end)) {
    throw new TypeError("expected a date within the years 1970 to 9999");
  }
  return value;
}

/** Converts decimal text to whole millionths, in which verifiers compare. Never start from a binary float. */
function millionths(number) {
  const [, sign, whole, places = ""] = /^(-?)(\d{1,13})(?:\.(\d{1,6}))?$/.exec(text(number)) ?? [];
  const scaled = whole === undefined ? null : BigInt(`${sign}${whole}${places.padEnd(6, "0")}`);
  if (scaled === null || BigInt.asIntN(64, scaled) !== scaled) {
    throw new RangeError(`${number} is not a number of whole millionths within 64 bits`);
  }
  return scaled;
}

/** Returns an array as Datalog text: strings, booleans, `null` and integers of 64 bits. */
export function array(values) {
  if (!Array.isArray(values)) throw new TypeError("expected an array");
  return `[${Array.from(values, scalar).join(", ")}]`;
}

function scalar(value) {
  if (value === null || typeof value === "boolean") return String(value);
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return String(value);
  // Every other character stands for itself, also a line break. Escapes of JSON would be refused.
  return `"${text(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
