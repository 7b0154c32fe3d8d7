// Reads a Bailiwick token: whom it was given to, who handed it on, and when it ends.
//
// Reading proves nothing. Verify the signatures first, and let a Bailiwick verifier decide about calls.

// The default symbols of Biscuit. The symbols of a token are numbered from 1024.
const DEFAULT = `read write resource operation right time role owner tenant namespace user team service admin email
group member ip_address client client_ip domain path version cluster node hostname nonce query`.split(/\s+/);

const [VARIABLE, INTEGER, STRING, DATE, BYTES] = [1, 2, 3, 4, 5];
const [LESS, LESS_OR_EQUAL, GREATER_OR_EQUAL] = [0n, 2n, 3n];

/** Returns the number by which a token names its root key. It is a hint that nobody signed. */
export function keyId(token) {
  const [id] = container(token)[1] ?? [];
  return id === undefined ? null : Number(id);
}

/** Returns the claims of a token, the chain of its appended blocks, and the times between which it holds. */
export function read(token) {
  const fields = container(token);
  const signed = [...fields[2], ...(fields[3] ?? [])].map(message);
  if (signed.some((block) => block[4])) {
    throw new Error("a block of a third party, which the profile excludes");
  }
  const symbols = [];
  const blocks = signed.map((block) => new Block(block[1][0], symbols));
  const [authority, ...appended] = blocks;
  if (authority.claim("profile", STRING) !== "bailiwick/1") {
    throw new Error("not a token of the profile bailiwick/1");
  }
  // Every block has to hold, so the latest beginning and the earliest end count.
  const begins = blocks.flatMap((block) => block.begins);
  const ends = blocks.flatMap((block) => block.ends);
  return {
    issuer: authority.claim("issuer", STRING),
    token_id: authority.claim("token_id", BYTES).toString("hex"),
    agent: authority.claim("agent", STRING),
    principal: authority.claim("principal", STRING),
    tenant: authority.described("tenant"),
    issued_at: rfc3339(authority.claim("issued_at", DATE)),
    not_before: rfc3339(begins.reduce((a, b) => (a > b ? a : b))),
    expires: rfc3339(ends.reduce((a, b) => (a < b ? a : b))),
    sealed: message(fields[4][0])[2] !== undefined,
    chain: appended.map((block, index) => ({
      delegate: block.described("delegate"),
      task: block.described("task"),
      revocation_id: signed[index + 1][3][0].toString("hex"),
    })),
  };
}

/** The facts of a block, and the limits in time among its checks. */
class Block {
  constructor(data, symbols) {
    const fields = message(data);
    // Symbols add up: a block uses its own and those of all blocks before it.
    symbols.push(...(fields[1] ?? []).map((text) => text.toString("utf8")));
    this.symbols = symbols;
    this.facts = (fields[4] ?? []).map((fact) => this.predicate(message(fact)[1][0]));
    const limits = (fields[6] ?? []).map((check) => this.limit(message(check)));
    const times = (kind) => limits.filter((limit) => limit?.kind === kind).map(({ time }) => time);
    this.begins = times("begins");
    this.ends = times("ends");
  }

  /** Returns the value of the one fact of this name. */
  claim(name, kind) {
    const found = this.facts.filter((fact) => fact.name === name);
    const [[value] = []] = found.map(({ terms }) => terms);
    if (found.length !== 1 || found[0].terms.length !== 1 || value.kind !== kind) {
      throw new Error(`\`${name}\` is missing, stands twice, or has the wrong shape`);
    }
    return value.value;
  }

  /** Returns a description, if it is there as one text. Holders write these, and no decision rests on them. */
  described(name) {
    try {
      return this.claim(name, STRING);
    } catch {
      return null;
    }
  }

  /** Reads `check if time($t), $t < D`, and its like with `<=` and `>=`. Returns `null` for other checks. */
  limit(check) {
    const queries = (check[1] ?? []).map(message);
    if (queries.length !== 1 || (check[2] ?? [0n]).some((kind) => kind !== 0n) || queries[0][4]) {
      return null;
    }
    const predicates = (queries[0][2] ?? []).map((predicate) => this.predicate(predicate));
    const expressions = (queries[0][3] ?? []).map((expression) => message(expression)[1] ?? []);
    if (predicates.length !== 1 || expressions.length !== 1 || expressions[0].length !== 3) {
      return null;
    }
    const [{ name, terms }] = predicates;
    const [left, right, operator] = expressions[0].map(message);
    if (name !== "time" || !left[1] || !right[1] || !operator[3] || terms.length !== 1) return null;
    const [variable, limit] = [this.term(left[1][0]), this.term(right[1][0])];
    const same = terms[0].kind === VARIABLE && variable.kind === VARIABLE && terms[0].value === variable.value;
    if (!same || limit.kind !== DATE) return null;
    const [compared] = message(operator[3][0])[1];
    if (compared === GREATER_OR_EQUAL) return { kind: "begins", time: limit.value };
    if (compared === LESS) return { kind: "ends", time: limit.value };
    return compared === LESS_OR_EQUAL ? { kind: "ends", time: limit.value + 1n } : null;
  }

  predicate(data) {
    const fields = message(data);
    return { name: this.symbol(fields[1][0]), terms: (fields[2] ?? []).map((term) => this.term(term)) };
  }

  /** Returns the kind of a term and its value. Other kinds than those read here keep their bytes. */
  term(data) {
    const [[number, [value]]] = Object.entries(message(data));
    const kind = Number(number);
    if (kind === INTEGER) return { kind, value: BigInt.asIntN(64, value) };
    return { kind, value: kind === VARIABLE || kind === STRING ? this.symbol(value) : value };
  }

  symbol(number) {
    const symbol = number < 1024n ? DEFAULT[number] : this.symbols[number - 1024n];
    if (symbol === undefined) throw new Error("a symbol that the token does not have");
    return symbol;
  }
}

function container(token) {
  return message(Buffer.from(token, "base64url"));
}

/** Returns the fields of a protobuf message: for each number a list of integers or bytes. */
export function message(data) {
  const fields = {};
  let at = 0;
  const varint = () => {
    let [value, shift] = [0n, 0n];
    for (;;) {
      if (at >= data.length) throw new Error("a message that is cut off");
      const byte = data[at++];
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return value;
    }
  };
  while (at < data.length) {
    const key = varint();
    const kind = key & 7n;
    if (kind !== 0n && kind !== 2n) throw new Error("not a message of Biscuit");
    let value = varint();
    if (kind === 2n) {
      const length = Number(value);
      if (at + length > data.length) throw new Error("a message that is cut off");
      value = data.subarray(at, at + length);
      at += length;
    }
    (fields[key >> 3n] ??= []).push(value);
  }
  return fields;
}

function rfc3339(seconds) {
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}
