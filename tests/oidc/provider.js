// An OpenID provider, for the issuer's trials: the npm package `oidc-provider` on an ephemeral loopback port.
//
// It says where it is in one line of JSON, and is told what to do by lines on standard input, each of which it answers
// with one line: `rotate` (another key signs; the old one stays published), `down` and `up` (it listens no more, or
// again), `clock SECONDS` (its clock is so far off). It ends with standard input.

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import { Provider } from "oidc-provider";

// What the package has to say is not an answer.
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

function rotate() {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const kid = `key-${keys.length + 1}`;
    keys.unshift({ ...pair.privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" });
    // What is known of its clients and resources is configuration, so that a new one differs by its keys alone.
    provider = new Provider(issuer, {
        jwks: { keys: structuredClone(keys) },
        clients: [
            {
                client_id: "ada",
                client_secret: "the secret of a client of the provider",
                grant_types: ["client_credentials"],
                redirect_uris: [],
                response_types: [],
            },
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

const port = await listen(0);
const issuer = `http://127.0.0.1:${port}`;
const say = (answer) => console.log(JSON.stringify(answer));
say({ issuer, ...rotate() });

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
