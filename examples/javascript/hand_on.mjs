// Hands a token on to a buyer, who can order at one vendor for five minutes.
//
// node --experimental-wasm-modules hand_on.mjs KEYSET_FILE KEYSET_KEY TOKEN_FILE BUYER_TOKEN_FILE

import { readFileSync, writeFileSync } from "node:fs";

import { openKeyset, rootKey } from "./keyset.mjs";
import { narrow } from "./narrow.mjs";
import { keyId, read, visible } from "./read.mjs";

const [keysetFile, keysetKey, tokenFile, buyerFile] = process.argv.slice(2);
const keyset = openKeyset(readFileSync(keysetFile), keysetKey);
const token = readFileSync(tokenFile, "utf8").trim();
const now = new Date();

const root = rootKey(keyset, keyId(token), now);
const expires = new Date(now.getTime() + 5 * 60_000);
const buyer = narrow(token, root, { delegate: "agent:buyer", vendor: "acme", amount: "4200.50", expires });

// `read` returns only what the root key and the holders signed.
const content = read(buyer, root);
if (content.issuer !== keyset.issuer) throw new Error("the token is of another issuer than the keyset");
// A token is a credential: only its owner may read the file.
writeFileSync(buyerFile, buyer, { mode: 0o600, flag: "wx" });
const [principal, agent] = [visible(content.principal), visible(content.agent)];
console.log(`for ${principal}, by ${agent}, until ${content.expires}`);
