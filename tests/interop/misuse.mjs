// Calls the code of the implementers' page with values that no vector can hold, and fails if one is not refused.
//
//     node --experimental-wasm-modules misuse.mjs FOLDER
//
// It stands in one folder with the code of the page and the installed package.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";

import { checkNewer, openKeyset, parse, Refused, rootKey, unbase64 } from "./keyset.mjs";
import { array, narrow } from "./narrow.mjs";
import { keyId, visible } from "./read.mjs";

const file = JSON.parse(readFileSync(path.join(process.argv[2], "narrowings.json")));
const signed = Buffer.from(file.keyset);
const trusted = openKeyset(signed, file.keyset_key);
const { page } = file;
const now = new Date(page.time);
const id = keyId(page.parent);
const root = rootKey(trusted, id, now);

const narrowed = (changed) => {
  const { delegate, vendor, amount } = page;
  return narrow(page.parent, root, { delegate, vendor, amount, expires: new Date(page.expires), ...changed });
};
// A trap of WebAssembly is a `RuntimeError`. It says nothing, and the library may not work after it.
const refused = (action, kind, ...values) => {
  assert.throws(() => action(...values), kind, inspect(values).slice(0, 100));
};

// Times.
assert.ok(narrowed({}));
for (const wrong of [new Date(NaN), NaN]) refused(rootKey, Refused, trusted, id, wrong);
for (const wrong of [now.getTime(), "2026", null, undefined]) {
  assert.throws(() => rootKey(trusted, id, wrong));
}
const last = 253402300799999;
const ends = [NaN, -1, last + 1, 8.64e15].map((time) => new Date(time));
for (const expires of [...ends, page.expires, 1795435500, null, undefined, { date: page.expires }]) {
  refused(narrowed, TypeError, { expires });
}
for (const time of [0, last]) assert.ok(narrowed({ expires: new Date(time) }));
// An invalid time of a key must not make it last forever.
const changed = { ...trusted, keys: [{ ...trusted.keys[0], not_after: "soon" }] };
assert.throws(() => rootKey(changed, id, now));

// Texts.
for (const name of ["delegate", "vendor"]) {
  const others = [5, null, undefined, true, ["acme"], new Set(["acme"]), new String("acme"), { date: "2026" }];
  for (const wrong of [...others, "half \ud800", "\udc00"]) {
    refused(narrowed, TypeError, { [name]: wrong });
  }
}

// Numbers.
for (const amount of [0.5, 4200, 5n, true, null, undefined]) refused(narrowed, TypeError, { amount });
const began = performance.now();
const many = "9".repeat(20_000_000);
for (const amount of [many, `0.${many}`, "1e5000000", "4.2e3", "0.0000001", "9223372036854.775808", "10000000000000",
  "-9223372036854.775809", "NaN", "Infinity", "", " 1", "1\n", "+1", "1.", ".5", "0x1"]) {
  refused(narrowed, RangeError, { amount });
}
assert.ok(performance.now() - began < 2000, "a long number takes seconds");
for (const amount of ["9223372036854.775807", "-9223372036854.775808", "-0", "0.000001"]) {
  assert.ok(narrowed({ amount }));
}

// Arrays.
const elements = [1.5, 2 ** 53, 1n << 63n, NaN, ["a"], undefined, {}, now, "half \ud800"];
const others = ["abc", null, new Set(["a"]), { length: 1 }, new Array(2)];
for (const wrong of [...elements.map((element) => [element]), ...others]) {
  refused(array, TypeError, wrong);
}
assert.equal(array([-(1n << 63n), (1n << 63n) - 1n, -0]), "[-9223372036854775808, 9223372036854775807, 0]");
assert.equal(array(["\t\0", 'a"b\\']), '["\t\0", "a\\"b\\\\"]');

// Files. The functions for them can be imported, for other signed files.
assert.deepEqual(unbase64("_-8"), Buffer.from([0xff, 0xef]));
refused(unbase64, Refused, "_+8");
assert.equal(parse(Buffer.from("[12345678901234567890]"))[0], 12345678901234567890n);
const parsing = performance.now();
parse(Buffer.from("9".repeat(4 << 20)));
assert.ok(performance.now() - parsing < 500, "numbers that nobody has signed take long");
assert.throws(() => checkNewer("text", trusted, signed, trusted));

// Texts for terminals.
assert.equal(visible("agent:buyer, ä€ 😀"), "agent:buyer, ä€ 😀");
for (const [text, shown] of [
  ["\x1b[2J", "\\u{1b}[2J"],
  ["a\nb\r", "a\\u{a}b\\u{d}"],
  ["\u202e", "\\u{202e}"],
  ["\u2028", "\\u{2028}"],
  ["\\u{1b}", "\\u{5c}u{1b}"],
  ["\x9b\u200b\ufeff\u3000", "\\u{9b}\\u{200b}\\u{feff}\\u{3000}"],
]) {
  assert.equal(visible(text), shown);
}

console.log("all wrong values were refused");
