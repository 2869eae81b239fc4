// Encodes the receipt of BenchmarkR20 with receiptline, as text in CP866 with its own picture of the code, and prints the
// time and size of one: an encoder that is not ours, on the same machine.
const receiptline = require('receiptline');

const lines = [];
for (let i = 1; i <= 20; i++) lines.push(`Кофе молотый ${String(i).padStart(2, '0')} | 120.00`);
lines.push('-', 'TOTAL 2400.00', '{code:https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M; option:qrcode,6,m}', '=');
const doc = lines.join('\n');
const printer = { cpl: 42, encoding: 'cp866', upsideDown: false, spacing: false, cutting: true, command: 'escpos' };

let bytes = 0;
for (let i = 0; i < 300; i++) bytes = receiptline.transform(doc, printer).length;
const rounds = 300;
const start = process.hrtime.bigint();
for (let i = 0; i < rounds; i++) receiptline.transform(doc, printer);
const ns = Number(process.hrtime.bigint() - start) / rounds;
console.log(`receiptline 1.16.2, the receipt of BenchmarkR20: ${Math.round(ns)} ns/op, ${bytes} bytes`);
