// Narrows a Bailiwick token for a sub-agent with biscuit-wasm: offline, with public keys alone.

import {
  Biscuit,
  BlockBuilder,
  prepareTerm,
  PublicKey,
  SignatureAlgorithm,
} from "@biscuit-auth/biscuit-wasm";

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
  // This verifies the signatures of the whole chain.
  const parent = Biscuit.fromBase64(token, PublicKey.fromBytes(root, SignatureAlgorithm.Ed25519));
  const values = {
    delegate: text(delegate),
    vendor: text(vendor),
    amount: millionths(amount),
    expires,
  };
  const terms = Object.entries(values).map(([name, value]) => [name, prepareTerm(value)]);
  const block = new BlockBuilder();
  block.addCodeWithParameters(ORDER, Object.fromEntries(terms), {});
  return parent.appendBlock(block).toBase64();
}

/** An object that came in as JSON could pass for a date or a set. */
function text(value) {
  if (typeof value !== "string") throw new TypeError("a string is needed");
  return value;
}

/** Numbers are compared in whole millionths. Never start from a binary float: "4200.50" is text. */
function millionths(number) {
  const [, sign, whole, places = ""] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(text(number)) ?? [];
  if (whole === undefined) throw new RangeError(`${number} is no number of six decimal places`);
  return BigInt(`${sign}${whole}${places.padEnd(6, "0")}`);
}
