// The glass: zones that never move, but where a customer brings an upright page down. Whatever is shown, each zone keeps its
// place and size; a text that is too long for its zone becomes smaller there and pushes nothing.

import { draw } from "./drawings.js";
import { clock, look, timed } from "./kinds.js";
import { off, put, read } from "./square.js";

const $ = (id) => document.getElementById(id);
const FITS = [1, 0.94, 0.88, 0.82, 0.76, 0.7, 0.64, 0.58, 0.52];
const PANEL_BUTTONS = 2; // a 5" panel has room for two

function form(wide, high) {
  if (wide < high) return wide * devicePixelRatio < 720 ? "panel" : "portrait";
  return high * devicePixelRatio < 960 ? "counter" : "landscape";
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// tied keeps words of one or two letters on the line of the word that they belong to.
function tied(text) {
  return text.split(" ").map((word) => word + (/^[^\p{L}\p{N}]*\p{L}{1,2}$/u.test(word) ? "\u00a0" : " ")).join("").slice(0, -1);
}

function button(name, label, press) {
  const b = document.createElement("button");
  b.type = "button";
  b.dataset.name = name;
  b.textContent = label;
  b.addEventListener("click", () => press(name));
  return b;
}

export class View {
  #boot; #on; #key = {}; #scene = null; #big = false; #low = false; #before = ""; // the button that had the focus before a question

  // on: {press(name, choice), language(tag), big(on)}
  constructor(boot, on) {
    this.#boot = boot;
    this.#on = on;
    $("code").addEventListener("click", () => on.big(true));
    $("big").addEventListener("click", () => on.big(false));
    this.resized();
  }

  // resized lays the page out for the window as it is now.
  resized() {
    document.body.dataset.form = this.#boot.form || form(innerWidth, innerHeight);
    this.#key = {};
  }

  // lowered lays an upright page out in its lower part, or in all of it again: a jump, each zone has a place in either.
  #lowered(low) {
    if (this.#low === low) return;
    this.#low = low;
    document.body.toggleAttribute("data-low", low);
    this.#key = {};
  }

  // once runs f when the key of one part of the glass has changed.
  #once(part, key, f) {
    if (this.#key[part] === key) return;
    this.#key[part] = key;
    f();
  }

  // show puts a scene on the glass; null is a white page with the shop's name.
  show(s, now) {
    this.#scene = s;
    $("blank").hidden = s !== null;
    $("page").hidden = s === null;
    if (!s) {
      off($("code"));
      this.#bigger(null, now);
      this.#key = {};
      return;
    }
    const tone = s.code || s.receipt || s.wifi ? (["declined"].includes(s.kind) ? "no" : s.receipt ? "good" : "") : look(s.kind)[1];
    this.#lowered(now.low && document.body.dataset.form === "portrait");
    document.body.dataset.tone = tone;
    document.body.dataset.kind = s.kind;
    this.#words(s, now);
    this.#square(s, now);
    this.#time(s, now);
    this.#controls(s, now);
    this.#buttons(s, now);
    this.#reach(now);
    this.#bigger(now.big ? s : null, now);
  }

  #words(s, now) {
    const early = ["idle", "cart", "choose", "preparing", "preparing_slow", "preparing_changed", "out_of_service"];
    const number = early.includes(s.kind) ? "" : s.number ?? "";
    const hint = s.hint === number ? "" : s.hint ?? ""; // the number stands at its own place
    const notice = s.paperless ? this.#phrase(now.language, "paperless") : "";
    this.#once("words", JSON.stringify([s.title, s.amount, s.line, hint, notice, number]), () => {
      set($("title"), s.title ?? "");
      set($("amount"), s.amount ?? "");
      set($("line"), tied(s.line ?? ""));
      set($("hint"), tied(hint));
      set($("notice"), tied(notice));
      set($("number"), number);
      $("hint").hidden = hint === "";
      $("notice").hidden = notice === "";
      shrink($("title"));
      shrink($("amount"));
      fit($("say"));
    });
  }

  #square(s, now) {
    const code = s.wifi ?? s.receipt ?? s.code;
    const square = $("square");
    const kind = code ? (s.wifi ? "wifi" : s.receipt ? "receipt" : "") : "";
    this.#once("square", JSON.stringify([code ?? [s.kind, s.lines, s.choices, s.tap, s.kind === "idle"], kind, now.language]), () => {
      square.className = kind;
      square.dataset.word = kind === "receipt" ? this.#phrase(now.language, "receipt") : "";
      $("drawing").replaceChildren(...this.#content(s, code, kind));
      $("drawing").className = code ? "" : "fresh";
      $("drawing").ariaHidden = String(!$("drawing").querySelector(".item, .tiles")); // a picture tells a reader nothing
      room($("drawing").querySelector(".item"));
      if (!code) { off($("code")); return; }
      const box = square.getBoundingClientRect();
      put($("code"), code, box, box, kind === "wifi" ? box.width * 0.05 : 0);
      $("code").setAttribute("aria-label", s.title ?? "");
      if (kind) delete $("code").dataset.pay; else $("code").dataset.pay = "1";
    });
  }

  // content is what stands in the square beside a code, or instead of one.
  #content(s, code, kind) {
    if (kind === "wifi") return [draw("waves")];
    if (code) return [];
    if (s.kind === "idle" || s.kind === "message") {
      if (this.#boot.slide && s.kind === "idle") {
        const slide = document.createElement("img");
        slide.src = "slide";
        slide.alt = "";
        return [slide];
      }
      return [element("p", "brand", this.#boot.shop)];
    }
    if (s.kind === "cart" && s.lines?.length) return [cart(s.lines)];
    if (s.kind === "choose" && s.choices?.length) return [this.#tiles(s.choices, s.tap)];
    return [draw(look(s.kind)[0], this.#boot.scanner)];
  }

  // tiles are the ways to pay: buttons where a touch on one is answered, else a list to read.
  #tiles(choices, tap) {
    const tiles = element("div", "tiles");
    tiles.append(...choices.slice(0, 4).map((c) => (tap ? button("choose", c.name, () => this.#on.press("choose", c.id)) : element("p", "", c.name))));
    return tiles;
  }

  #time(s, now) {
    const shown = s.left != null && s.left > 0 && timed(s.kind);
    const since = (s.kind === "doubt" || s.kind === "doubt_kiosk") && now.since;
    $("time").style.visibility = shown || since ? "visible" : "hidden";
    $("time").className = since ? "words" : now.ending && shown ? "ending" : "";
    if (since) { set($("clock"), this.#phrase(now.language, "since").replace("{t}", now.since)); return; }
    if (!shown) { set($("clock"), ""); this.#key.bar = undefined; return; }
    const more = now.grew ? this.#phrase(now.language, "more_minutes").replace("{n}", Math.max(1, Math.round(now.grew / 60_000))) : "";
    set($("clock"), more || clock(s.left, this.#phrase(now.language, "minutes_left")));
    const whole = Math.max(now.life, s.left);
    const jump = this.#key.bar === undefined || this.#key.whole !== whole; // back only by an extension
    $("bar").classList.toggle("jump", jump);
    $("bar").firstElementChild.style.transform = `scaleX(${Math.max(0, s.left - (jump ? 0 : 1000)) / whole})`;
    this.#key.bar = true;
    this.#key.whole = whole;
  }

  #controls(s, now) {
    const zoom = Boolean(s.code) && !s.wifi && !s.receipt;
    this.#once("controls", `${now.language} ${zoom} ${now.voice} ${now.aloud}`, () => {
      const words = this.#boot.words[now.language], out = [], focus = $("controls").contains(document.activeElement) ? document.activeElement : null;
      if (zoom) {
        const b = button("big", "", () => this.#on.big(true));
        b.append(draw("bigger"));
        if (document.body.dataset.form !== "panel") b.append(element("span", "", words.buttons.big));
        b.setAttribute("aria-label", words.buttons.big);
        out.push(b);
      }
      $("zoom").replaceChildren(...out);
      $("controls").replaceChildren(...this.#boot.order.map((tag) => {
        const b = button("language", this.#boot.words[tag].name, () => this.#on.language(tag));
        b.lang = tag;
        b.setAttribute("aria-pressed", String(tag === now.language));
        return b;
      }));
      if (now.voice) $("controls").prepend(this.#aloud(words.buttons.speak, now.aloud));
      if (focus) [...$("controls").children].find((b) => b.dataset.name === focus.dataset.name && b.lang === focus.lang)?.focus();
    });
  }

  // aloud is the button for the voice; the smallest panel has room for its drawing alone.
  #aloud(label, on) {
    const b = button("speak", "", () => this.#on.press("speak"));
    b.append(draw("voice"));
    if (document.body.dataset.form !== "panel") b.append(element("span", "", label));
    b.setAttribute("aria-label", label);
    b.setAttribute("aria-pressed", String(on));
    return b;
  }

  #buttons(s, now) {
    const words = this.#boot.words[now.language];
    let list = (s.buttons ?? []).map((b) => ({ name: b.name, label: b.label ?? words.buttons[b.name] }));
    if (document.body.dataset.form === "panel" && !s.ask) {
      const cancel = list.filter((b) => b.name === "cancel");
      list = [...list.filter((b) => b.name !== "cancel").slice(0, PANEL_BUTTONS - cancel.length), ...cancel];
    }
    this.#once("buttons", JSON.stringify([list, s.ask, now.ending]), () => {
      const focus = document.activeElement?.dataset?.name;
      const out = list.map((b, i) => {
        const e = button(b.name, b.label, this.#on.press);
        if (b.name === "cancel") e.className = "apart";
        else if (b.name === "yes" && s.ask) e.className = "";
        else if (i === 0 && (b.name !== "more" || now.ending)) e.className = "main"; // more time is large in the last minute
        return e;
      });
      if (s.ask) out.push(element("p", "", s.ask));
      const zone = $("buttons"), asked = zone.role === "alertdialog";
      zone.replaceChildren(...out);
      zone.role = s.ask ? "alertdialog" : null; // a question is read at once, and answered where the focus is
      zone.ariaLabel = s.ask ?? null;
      if (s.ask && !asked) { this.#before = focus; out[0].focus(); }
      else if (asked && !s.ask) (zone.querySelector(`[data-name="${this.#before}"]`) ?? zone.querySelector("button"))?.focus();
      else if (focus) zone.querySelector(`[data-name="${focus}"]`)?.focus();
    });
  }

  // reach is the button by which who sits has an upright page come down to him; it stays where it is itself.
  #reach(now) {
    const upright = document.body.dataset.form === "portrait";
    $("lower").hidden = !upright;
    this.#once("reach", `${upright} ${now.language} ${this.#low}`, () => {
      const had = $("lower").contains(document.activeElement), b = button("lower", "", this.#on.press);
      b.append(draw("wheelchair"), element("span", "", this.#boot.words[now.language].buttons[this.#low ? "higher" : "lower"]));
      $("lower").replaceChildren(b);
      if (had) b.focus();
    });
  }

  // bigger is the code as large as the window allows: a jump, no zoom, and back with a touch.
  #bigger(s, now) {
    this.#big = Boolean(s?.code);
    $("big").hidden = !this.#big;
    if (!this.#big) { off($("big-code")); this.#key.big = undefined; return; }
    this.#once("big", JSON.stringify([s.code, s.amount, now.language]), () => {
      set($("big-amount"), s.amount ?? "");
      set($("big-back"), this.#boot.words[now.language].buttons.smaller);
      const top = this.#low ? $("big-amount").getBoundingClientRect().bottom : 0;
      const end = this.#low ? $("big-back").getBoundingClientRect().top : innerHeight;
      const box = { left: 0, top, width: innerWidth, height: end - top };
      put($("big-code"), s.code, box, { left: 0, top: 0 });
    });
  }

  #phrase(language, name) { return this.#boot.words[language].phrases[name]; }

  // state changes whenever what stands on the glass as a code may have changed.
  state() {
    const s = this.#scene;
    return s === null ? "blank" : `${s.kind} ${this.#big} ${this.#low} ${s.code && !s.wifi && !s.receipt ? s.code.bits : ""}`;
  }

  // read is the code that takes money as it stands on the glass, null if there is none.
  read() {
    if (!this.#scene?.code || this.#scene.wifi || this.#scene.receipt) return null;
    return read(this.#big ? $("big-code") : $("code"));
  }
}

function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text) e.textContent = text;
  return e;
}

// cart is the last goods, big, and what came before them.
function cart(lines) {
  const box = element("div", "item");
  const last = lines.at(-1);
  box.append(element("b", "", tied(last.left)), element("span", "", last.right));
  const before = lines.slice(0, -1).slice(-4).reverse();
  if (before.length) {
    const list = element("ul");
    for (const l of before) {
      const row = element("li");
      row.append(element("i", "", tied(l.left)), element("span", "", l.right));
      row.lastElementChild.style.cssText = "display:inline;font-size:inherit;margin:0";
      list.append(row);
    }
    box.append(list);
  }
  return box;
}

// room takes the oldest goods off a list that is too long for the square.
function room(item) {
  while (item && item.scrollHeight > item.clientHeight + 1 && item.querySelector("li")) item.querySelector("li:last-child").remove();
}

// fit makes the sentences of a zone smaller until they stand in it.
function fit(zone) {
  for (const f of FITS) {
    zone.style.setProperty("--fit", f);
    if (zone.scrollHeight <= zone.clientHeight + 1 && zone.scrollWidth <= zone.clientWidth + 1) return;
  }
}

// shrink does the same for one text.
function shrink(e) {
  e.style.fontSize = "";
  const size = parseFloat(getComputedStyle(e).fontSize);
  for (const f of FITS) {
    e.style.fontSize = f === 1 ? "" : `${size * f}px`;
    if (e.scrollWidth <= e.clientWidth + 1 && e.scrollHeight <= e.clientHeight + 1) return;
  }
}
