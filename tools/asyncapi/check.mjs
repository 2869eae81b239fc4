// Checks an AsyncAPI document and the examples beside it: the document must parse without a finding of severity error,
// every $ref must resolve, every example must be valid against the message it shows, and every message be shown. With
// --faults it also breaks the document in memory and sees each break refused, so that a check that checks nothing is
// noticed.
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv';

const file = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '../../docs/protocol/asyncapi.yaml'));

// errorsOf parses text and gives the document and what is wrong with it.
async function errorsOf(text) {
  const { document, diagnostics } = await new Parser().parse(text, { source: file });
  return { document, errors: diagnostics.filter((d) => d.severity === 0).map((d) => `${d.path.join('/')}: ${d.message}`) };
}

// messageOf names the message that an example shows: its method, or for an answer the call in its file's name.
function messageOf(name, frame) {
  const method = frame.method ?? name.replace(/\.(result|refused|part\.result|snapshot|more|old|charging|lapsed)\.json$/, '').replace(/\.part$/, '');
  return frame.method ? method : `${method} answer`;
}

async function checkExamples(document) {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const messages = new Map(document.allMessages().all().map((m) => [m.name(), ajv.compile(m.payload().json())]));
  const dir = join(dirname(file), 'examples');
  const errors = [];
  const shown = new Set();
  for (const name of (await readdir(dir)).sort()) {
    const frame = JSON.parse(await readFile(join(dir, name), 'utf8'));
    const message = messageOf(name, frame);
    const validate = messages.get(message);
    shown.add(message);
    if (!validate) errors.push(`${name}: no message is called ${message}`);
    else if (!validate(frame)) errors.push(`${name}: ${ajv.errorsText(validate.errors)}`);
    // what the schema does not forbid it does not check: see that it knows every member of the example
    else errors.push(...unknown(document, message, frame).map((p) => `${name}: the schema does not know ${p}`));
  }
  for (const message of messages.keys()) if (!shown.has(message)) errors.push(`${message} has no example`);
  return { errors, count: shown.size };
}

// unknown lists the members of a frame that its schema does not name.
function unknown(document, message, frame) {
  const walk = (schema, value, path) => {
    if (Array.isArray(value)) return value.flatMap((v, i) => walk(schema.items ?? {}, v, `${path}/${i}`));
    if (value === null || typeof value !== 'object') return [];
    return Object.entries(value).flatMap(([k, v]) => {
      const known = schema.properties?.[k] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
      return known ? walk(known, v, `${path}/${k}`) : [`${path}/${k}`];
    });
  };
  return walk(document.allMessages().all().find((m) => m.name() === message).payload().json(), frame, '');
}

const text = await readFile(file, 'utf8');
const { document, errors } = await errorsOf(text);
if (document && errors.length === 0) {
  const { errors: more, count } = await checkExamples(document);
  errors.push(...more);
  console.log(`${file}: ${document.allMessages().length} messages, ${document.operations().length} operations, examples of ${count}`);
}
if (process.argv.includes('--faults') || process.argv[2] === undefined) {
  const faults = {
    'a broken $ref': text.replace("schemas/Ack'", "schemas/Nack'"),
    'an operation without a channel': text.replace("channel: { $ref: '#/channels/term' }", ''),
    'an unknown action': text.replace('action: send', 'action: shout'),
    'another version': text.replace('asyncapi: 3.0.0', 'asyncapi: 9.0.0'),
  };
  for (const [what, broken] of Object.entries(faults)) {
    if (broken === text) errors.push(`${what}: the fault could not be made`);
    else if ((await errorsOf(broken)).errors.length === 0) errors.push(`${what} was accepted`);
    else console.log(`refused, as it must be: ${what}`);
  }
}
for (const e of errors) console.error(e);
process.exit(errors.length === 0 ? 0 : 1);
