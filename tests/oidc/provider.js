// An OpenID provider, for the issuer's trials and the tutorial: the npm package `oidc-provider` on a loopback port.
//
//     node provider.js [PORT]
//
// It prints its URL in one line of JSON. With a port it then runs until it is stopped by a signal. Without one it takes any
// free port, and reads commands from standard input until that ends. It answers each command with one line: `rotate`
// (another key signs; the old one stays published), `down` and `up` (it stops listening, or listens again),
// `clock SECONDS` (its clock is off by that much).

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import { Provider } from "oidc-provider";

// Standard output is for answers, so the messages of the package go to standard error.
console.info = console.error;

const clock = Date.now.bind(Date);
let off = 0;
Date.now = () => clock() + off * 1000;

const keys = [];
let provider;
const server = createServer((request, response) => provider.callback()(request, response));

async function listen(port) {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server.address().port;
}

// A client that gets tokens about itself, which stands in for a person who signs in.
function client(client_id, client_secret) {
    return {
        client_id,
        client_secret,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
    };
}

function rotate() {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const kid = `key-${keys.length + 1}`;
    keys.unshift({ ...pair.privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" });
    // Clients and resources are configured, so a new provider differs only in its keys.
    provider = new Provider(issuer, {
        jwks: { keys: structuredClone(keys) },
        clients: [
            client("ada", "the secret of a client of the provider"),
            client("user-17", "sign-in-of-user-17"),
        ],
        ttl: { ClientCredentials: 600 },
        features: {
            devInteractions: { enabled: false },
            clientCredentials: { enabled: true },
            resourceIndicators: {
                enabled: true,
                getResourceServerInfo: (_context, resource) => ({
                    scope: "use",
                    audience: resource,
                    accessTokenFormat: "jwt",
                    jwt: { sign: { alg: "RS256" } },
                }),
            },
        },
    });
    return { kid, pem: pair.publicKey.export({ format: "pem", type: "spki" }) };
}

const wanted = Number(process.argv[2] ?? 0);
const port = await listen(wanted);
const issuer = `http://127.0.0.1:${port}`;
const say = (answer) => console.log(JSON.stringify(answer));
say({ issuer, ...rotate() });

if (wanted !== 0) {
    // The listener keeps the process alive.
    await new Promise(() => {});
}
for await (const line of createInterface({ input: process.stdin })) {
    const [verb, argument] = line.split(" ");
    if (verb === "rotate") {
        say(rotate());
    } else if (verb === "down") {
        server.close();
        server.closeAllConnections();
        await once(server, "close");
        say({});
    } else if (verb === "up") {
        await listen(port);
        say({});
    } else if (verb === "clock") {
        off = Number(argument);
        say({});
    } else {
        throw new Error(`unknown: ${line}`);
    }
}
process.exit(0);
