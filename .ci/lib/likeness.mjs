// The order of a WebAssembly module's functions: like beside like. gzip finds again what it has seen in the last 32 KB,
// and linkers put functions where their source stands.

/** How far gzip looks back. */
const WINDOW = 32768;

/** Functions are alike by the pieces of so many bytes that they share. */
const PIECE = 6;

/** A piece that more functions have says nothing of them. */
const COMMON = 256;

/** The numbers of such byte strings, each behind what it shares most with, for its length. */
export function byLikeness(bodies) {
  const pieces = sharedPieces(bodies);
  const holders = new Map(pieces.flatMap((own) => [...own]).map((piece) => [piece, []]));
  pieces.forEach((own, body) => own.forEach((piece) => holders.get(piece).push(body)));
  // How many pieces of each body are in the window, and how often each piece is.
  const found = new Uint32Array(bodies.length);
  const inWindow = new Map();
  const move = (body, by) => {
    for (const piece of pieces[body]) {
      const before = inWindow.get(piece) ?? 0;
      inWindow.set(piece, before + by);
      if (before === 0 || before + by === 0) for (const holder of holders.get(piece)) found[holder] += by;
    }
  };
  const rest = new Set(bodies.keys());
  const order = [];
  let [begin, held] = [0, 0];
  while (rest.size > 0) {
    let [best, most] = [-1, -1];
    for (const body of rest) {
      // The longest would always share most, and the shortest the largest part.
      const share = found[body] / Math.sqrt(bodies[body].length + 20);
      if (share > most) [best, most] = [body, share];
    }
    rest.delete(best);
    order.push(best);
    move(best, 1);
    held += bodies[best].length;
    for (; held > WINDOW && begin < order.length - 1; begin += 1) {
      move(order[begin], -1);
      held -= bodies[order[begin]].length;
    }
  }
  return order;
}

/** Of each byte string, the numbers of the pieces that some others have, too. */
function sharedPieces(bodies) {
  const [numbers, counts] = [new Map(), []];
  const all = bodies.map((body) => {
    const own = new Set();
    for (let at = 0; at + PIECE <= body.length; at += 1) {
      const piece = body.readUIntLE(at, PIECE);
      if (!numbers.has(piece)) numbers.set(piece, numbers.size);
      own.add(numbers.get(piece));
    }
    for (const number of own) counts[number] = (counts[number] ?? 0) + 1;
    return own;
  });
  return all.map((own) => Uint32Array.from(own).filter((number) => counts[number] > 1 && counts[number] <= COMMON));
}

/** A module without names, with names for its functions that sort by likeness: binaryen can sort by nothing else. */
export function namedByLikeness(module) {
  const { imported, bodies } = functionsOf(module);
  const names = [];
  byLikeness(bodies).forEach((body, place) => {
    names[body] = [...leb(imported + body), ...text(String(place).padStart(8, '0'))];
  });
  const functions = [...leb(names.length), ...names.flat()];
  const section = [...text('name'), 1, ...leb(functions.length), ...functions];
  return Buffer.concat([module, Buffer.from([0, ...leb(section.length), ...section])]);
}

/** How many functions a module imports, and the bytes of its own. */
function functionsOf(module) {
  const reader = new Reader(module, 8);
  let [imported, bodies] = [0, []];
  while (reader.at < module.length) {
    const id = reader.byte();
    const content = new Reader(reader.bytes());
    if (id === 2) imported = importsOf(content);
    if (id === 10) bodies = content.list(() => content.bytes());
  }
  return { imported, bodies };
}

function importsOf(reader) {
  const limits = () => (reader.byte() & 1 ? [reader.number(), reader.number()] : [reader.number()]);
  const kinds = [
    () => reader.number(),
    () => [reader.byte(), limits()],
    limits,
    () => [reader.byte(), reader.byte()],
  ];
  const imports = reader.list(() => {
    reader.bytes();
    reader.bytes();
    const kind = reader.byte();
    kinds[kind]();
    return kind;
  });
  return imports.filter((kind) => kind === 0).length;
}

/** WebAssembly's numbers are LEB128: seven bits a byte, the lowest first. */
class Reader {
  constructor(buffer, at = 0) {
    Object.assign(this, { buffer, at });
  }

  byte() {
    this.at += 1;
    return this.buffer[this.at - 1];
  }

  number() {
    const byte = this.byte();
    return byte < 128 ? byte : byte - 128 + 128 * this.number();
  }

  bytes() {
    const length = this.number();
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  list(item) {
    return Array.from({ length: this.number() }, item);
  }
}

function leb(value) {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))];
}

function text(value) {
  return [...leb(value.length), ...Buffer.from(value)];
}
