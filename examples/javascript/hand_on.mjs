// Hands a token on to a buyer, who can order at one vendor for five minutes.
//
// node --experimental-wasm-modules hand_on.mjs KEYSET_FILE KEYSET_KEY TOKEN_FILE BUYER_TOKEN_FILE

import { readFileSync, writeFileSync } from "node:fs";

import { openKeyset, rootKey } from "./keyset.mjs";
import { narrow } from "./narrow.mjs";
import { keyId, read } from "./read.mjs";

const [keysetFile, keysetKey, tokenFile, buyerFile] = process.argv.slice(2);
const keyset = openKeyset(readFileSync(keysetFile), keysetKey);
const token = readFileSync(tokenFile, "utf8").trim();
const now = new Date();

const root = rootKey(keyset, keyId(token), now);
const expires = new Date(now.getTime() + 5 * 60_000);
const buyer = narrow(token, root, { delegate: "agent:buyer", vendor: "acme", amount: "4200.50", expires });

// A token is a credential: only its owner may read the file.
writeFileSync(buyerFile, buyer, { mode: 0o600, flag: "wx" });
// `read` returns only what the issuer and the holders signed.
const content = read(buyer, root);
console.log(`for ${content.principal}, by ${content.agent}, until ${content.expires}`);
