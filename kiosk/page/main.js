// The customer's page of one lane: it shows what the daemon says, keeps the code to the code's own end when it is alone,
// and never guesses what became of money.

import { Feed } from "./feed.js";
import { View } from "./view.js";
import { play, ready } from "./sound.js";
import { Speech } from "./speech.js";
import { CHECKED, HELPS, KEPT, LIVE, ending, isPaid, stays } from "./kinds.js";

const boot = JSON.parse(document.body.dataset.boot);
const MINUTE = 60_000;
const SOON = 150; // ms: what comes within it makes "getting your code" not worth showing
const HELP = 45_000; // ms that help may cover the code
const STAFF = 8_000; // ms that "someone is coming" stays
const ASK = 10_000; // ms for an answer to "cancel the payment?"
const THERE = [60_000, 80_000]; // ms after which we ask whether the customer is there, and go on
const CHECKING = MINUTE; // ms that a page alone says it is checking
const RECEIPT = 2_000; // ms that the tick stands before the receipt's code
const PAPER = 15_000; // ms that a code must still live to be put on paper: the box prints none later
const GREW = 4_000; // ms that the words of an extension stay
const REST = 80_000; // ms that what somebody has chosen on a page at rest waits for him
const SINGLE = 400; // ms in which a second touch of the same button is the same touch

let frame = null; // what the daemon says
let came = 0; // when it said so, on our own clock
let until = 0; // end of the code, on our own clock
let lost = null; // since when the daemon is gone
let grew = 0; // when the life last grew
let own = { kind: "", since: 0 }; // what the customer has opened: one of HELPS, staff, ask, big
let language = boot.language;
let low = false; // all of an upright page in its lower part
let chose = 0; // when language, voice or that was last chosen
let whose = ""; // the payment of the customer whose language and voice these are, "" for one who has none yet
let goesOn = false; // he has asked for another payment himself
let touched = { name: "", at: -Infinity };
let timer, held, told = "";

const now = () => performance.now();
const view = new View(boot, { press, language: choose, big });
const speech = new Speech(() => language);
lost = now();

const feed = new Feed(new URL("feed", location.href.replace(/^http/, "ws")).href, {
  screen(next) {
    clearTimeout(held);
    const quiet = !frame || ["idle", "cart", "choose"].includes(frame.kind);
    if (next.kind === "preparing" && quiet && frame && lost === null) held = setTimeout(() => accept(next), SOON);
    else accept(next);
  },
  lost() {
    lost ??= now();
    show();
  },
  found() {},
});

// accept takes a frame of the daemon for the truth.
function accept(next) {
  const again = frame?.nr === next.nr;
  const known = again && lost === null; // it has other buttons, and nothing else has happened
  if (!frame || next.ref !== frame.ref || !same(next.kind, frame.kind)) {
    if (!(own.kind === "big" && next.code && next.ref === frame?.ref)) own = { kind: "", since: 0 };
  }
  meet(next);
  if (!again || next.kind !== frame.kind) came = now();
  frame = next;
  until = now() + (frame.left_ms ?? 0);
  if (frame.added_ms && !known) grew = now();
  lost = null;
  if (frame.sound && !known) play(frame.sound, boot);
  show();
}

// forget gives the page back to the next customer as the shop has it.
function forget() {
  language = boot.language;
  low = false;
  chose = 0;
  speech.off();
}

// meet sees whether this frame is for another customer than the one before: nothing that the last one has chosen is left
// for him, though the glass may never have come to rest between the two. While the box is away nobody comes or goes.
function meet(next) {
  if (next.kind === "out_of_service") return;
  const ref = next.ref ?? "";
  const other = whose && ref !== whose && !goesOn && next.kind !== "preparing_changed";
  if (other || resting(next) && next.nr !== frame?.nr) forget();
  if (ref !== whose || isPaid(next.kind)) goesOn = false;
  whose = ref;
}

// scene is what is to be seen at this moment: of the daemon, of the customer's own, or of the page alone.
function scene(at) {
  const alone = lost === null ? -1 : at - lost;
  if (!frame) return alone >= boot.alone_ms ? mine("out_of_service") : null;
  const left = frame.left_ms === undefined ? null : until - at;
  if (alone >= 0) return forsaken(at, alone, left);
  if (frame.code && left <= 0) return mine("closing", frame.kind === "closing" ? frame.buttons : []);
  if (HELPS.includes(own.kind) && frame.code) return { ...mine(own.kind), left, wifi: own.kind === "help_net" ? boot.wifi : undefined, buttons: [{ name: "back" }, ...helping()] };
  if (own.kind === "staff") return { ...mine("staff"), left, amount: text().amount, buttons: [{ name: "back" }] };
  const out = { ...words(frame), left, tap: has("choose").length > 0 };
  if (frame.code && ending(left) && LIVE.has(frame.kind)) out.line = sentence(boot.attended ? "code_ending_cashier" : has("more").length ? "code_ending" : "code").line;
  if (frame.receipt && at - came >= RECEIPT) out.receipt = frame.receipt;
  const gone = left !== null && left < PAPER ? ["stay", "left", "choose", "paper"] : ["stay", "left", "choose"];
  out.buttons = (frame.buttons ?? []).filter((b) => at - came >= (b.after_ms ?? 0) && !gone.includes(b.name));
  if (LIVE.has(frame.kind) && frame.code && !boot.attended && !has("help").length) out.buttons.splice(-1, 0, ...helping()); // before cancel, as the shop's own
  if (frame.kind === "choose" && at - came >= THERE[0] && has("stay").length) {
    out.ask = phrase("still_there");
    out.buttons = [{ name: "stay", label: phrase("yes") }];
  }
  if (own.kind === "ask") {
    out.ask = phrase("cancel_sure");
    out.buttons = [{ name: "no", label: phrase("no") }, { name: "yes", label: phrase("yes") }];
  }
  return out;
}

// forsaken is what a page shows that has lost the daemon: never a guess what became of money.
function forsaken(at, alone, left) {
  const still = { ...words(frame), left, receipt: frame.receipt && at - came >= RECEIPT ? frame.receipt : undefined, buttons: [] };
  if (frame.code || KEPT.has(frame.kind)) {
    if (left > 0) return { ...still, line: phrase("link_lost"), hint: "" };
    return at - Math.max(until, lost) < CHECKING ? mine("closing") : mine("out_of_service");
  }
  if (CHECKED.has(frame.kind) && alone < CHECKING) return alone < boot.alone_ms || frame.kind !== "charging" ? still : mine("closing");
  return at - came < stays(frame.kind, boot.attended, frame.receipt) || alone < boot.alone_ms ? still : mine("out_of_service");
}

// same: the last minute of a code ends nothing that the customer has opened over it.
const same = (a, b) => a === b || LIVE.has(a) && LIVE.has(b);

const text = () => frame.texts[language] ?? frame.texts[boot.language];
const phrase = (name) => boot.words[language].phrases[name];
const sentence = (name) => boot.words[language].screens[name];
const resting = (f) => f?.kind === "idle" || f?.kind === "unavailable" && !f.ref; // no customer is being served
const has = (name) => (frame?.buttons ?? []).filter((b) => b.name === name);
const fill = (s, values) => (s ?? "").replace(/\{(\w+)\}/g, (_, k) => values[k] ?? "").trim();

// words of a frame in the customer's language.
function words(f) {
  return { ...f, ...text(), code: f.code, receipt: undefined, kind: f.kind, number: number(f) };
}
const number = (f) => (f.number ? fill(phrase("number"), { num: f.number }) : "");

// mine is a screen of the page's own, with the number and the amount of the payment that it is about.
function mine(kind, buttons = []) {
  const s = sentence(kind), about = frame && kind !== "out_of_service";
  const fills = { num: frame?.number ?? "" };
  return {
    kind, title: fill(s.title, fills), line: fill(s.line, fills), hint: fill(s.hint, fills),
    amount: about ? text().amount : "", number: about ? number(frame) : "", left: null, buttons,
  };
}

// show brings the glass to where things are now, and comes back when something is to change by itself.
function show() {
  clearTimeout(timer);
  const at = now();
  if (HELPS.includes(own.kind) && at - own.since >= HELP || own.kind === "staff" && at - own.since >= STAFF || own.kind === "ask" && at - own.since >= ASK) own = { kind: "", since: 0 };
  if (frame?.kind === "choose" && lost === null && at - came >= THERE[1] && has("left").length) send("left");
  if (chose && resting(frame) && at - chose >= REST) forget();
  const s = scene(at);
  if (s?.code && frame.code) tick(s.left);
  if (own.kind === "big" && !s?.code) own = { kind: "", since: 0 };
  view.show(s, { at, language, life: frame?.life_ms ?? 0, grew: grew && at - grew < GREW ? frame?.added_ms : 0, ending: s?.left != null && ending(s.left), big: own.kind === "big", low, since: frame?.since, voice: speech.able, aloud: speech.on });
  document.documentElement.lang = language;
  speech.scene(s, boot, { more: lost === null && has("more").length > 0, low });
  report();
  timer = setTimeout(show, pause(s, at));
}

// pause is how long nothing can change by itself.
function pause(s, at) {
  if (s?.left != null && s.left > 0) return Math.min(s.left + 1, s.left <= MINUTE + 1000 ? (s.left % 1000) + 1 : 1000);
  const waits = [250];
  if (!frame || lost !== null || own.kind || s?.kind === "closing") return 250;
  if (chose && resting(frame)) waits.push(chose + REST - at + 1);
  for (const t of [RECEIPT, ...THERE, ...(frame.buttons ?? []).map((b) => b.after_ms ?? 0)]) if (came + t > at) waits.push(came + t - at + 1);
  return waits.length > 1 ? Math.min(...waits.slice(1)) : 2 ** 30;
}

// tick warns softly a minute and again twenty seconds before the end, each once.
let warned = { ref: null, at: Infinity };
function tick(left) {
  const key = `${frame.ref}:${frame.code.bits.length}:${frame.life_ms}`;
  if (warned.ref !== key) warned = { ref: key, at: left };
  for (const t of [MINUTE, MINUTE / 3]) if (warned.at > t && left <= t) play("tick", boot);
  warned.at = left;
}

// report tells the daemon what stands on the glass, once it does: two frames on, read from the pixels.
function report() {
  if (!frame || lost !== null) return;
  const nr = frame.nr;
  const state = () => `${nr} ${view.state()}`;
  if (told === state()) return;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (frame?.nr !== nr || told === state() || lost !== null) return;
    told = state();
    feed.drawn(nr, view.read());
  }));
}

function send(name, choice) {
  if (lost !== null) return;
  feed.touch(frame?.ref, name, choice);
}

// helps is what "help" opens now: beside a code first what the page can say itself, and then somebody comes.
function helps() {
  const ways = frame?.code ? HELPS.filter((kind) => kind !== "help_net" || boot.wifi) : [];
  return ways[ways.indexOf(own.kind) + 1] ?? "staff";
}

// helping is the button for it: what the page says itself needs no till, and nobody is called who would not hear of it.
function helping() {
  return helps() !== "staff" || has("help").length ? [{ name: "help" }] : [];
}

// press does what a button is for: some are the page's own, the others are the shop's to answer.
function press(name, choice) {
  ready();
  if (touched.name === name && now() - touched.at < SINGLE) return;
  touched = { name, at: now() };
  switch (name) {
    case "cancel": own = { kind: "ask", since: now() }; break;
    case "no": case "back": own = { kind: "", since: 0 }; break;
    case "yes": own = { kind: "", since: 0 }; send("cancel"); break;
    case "help":
      own = { kind: helps(), since: now() };
      if (own.kind === "staff") send("help");
      break;
    case "stay": came = now(); send("stay"); break;
    case "speak": speech.toggle(); chose = now(); told = ""; break;
    case "lower": low = !low; chose = now(); break;
    case "new": case "other": goesOn = true; send(name, choice); break;
    default: send(name, choice);
  }
  show();
}

function choose(tag) { ready(); language = tag; chose = now(); show(); }

function big(on) {
  ready();
  if (on && !frame?.code) return;
  own = { kind: on ? "big" : "", since: now() };
  show();
}

addEventListener("keydown", (e) => {
  if (e.repeat && e.key !== "Tab") e.preventDefault(); // a key that is held is one wish
  else if (e.key === "Escape") press("back");
  else if (e.key === " " && !(e.target instanceof HTMLButtonElement)) {
    e.preventDefault();
    if (speech.on && has("more").length) press("more");
    else press("speak");
  }
});
window.speechSynthesis?.addEventListener?.("voiceschanged", show);
addEventListener("pointerdown", ready);
addEventListener("resize", () => { view.resized(); told = ""; show(); });
addEventListener("contextmenu", (e) => e.preventDefault());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") { frame = null; told = ""; } // nobody keeps a hidden page right: it starts anew
  show();
});
document.fonts.ready.then(() => { view.resized(); show(); });
if (navigator.serviceWorker) {
  const trusted = window.trustedTypes?.createPolicy("kiosk", { createScriptURL: (s) => (s === "worker.js" ? s : "") });
  navigator.serviceWorker.register(trusted ? trusted.createScriptURL("worker.js") : "worker.js").catch(() => {});
}
show();
