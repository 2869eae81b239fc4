// The screen read aloud, for those who ask for it with Space or the button: each screen once, when it comes, and each question
// over it; of the seconds only that 60, 30 and 10 are left.

import { LIVE, ending } from "./kinds.js";

const SPOKEN = { code: "code", paying: "paying", paid: "paid", paid_paper: "paid", doubt: "doubt", doubt_kiosk: "doubt" };
const LEFT = { 60: "left_60", 30: "left_30", 10: "left_10" };

export class Speech {
  #on = false; #said = "";

  constructor(language) { this.language = language; }

  get on() { return this.#on; }

  // able says whether this browser has a voice: without one there is nothing to offer. It may learn of them late.
  get able() { return (window.speechSynthesis?.getVoices() ?? []).length > 0; }

  toggle() {
    this.#on = !this.#on && "speechSynthesis" in window;
    this.#said = "";
    if (!this.#on) window.speechSynthesis?.cancel();
  }

  // off ends the customer's wish.
  off() { if (this.#on) this.toggle(); }

  // scene says what has come. more: Space would bring more time; where it would not, nobody is told to press it. low: the code
  // stands where who sits can reach it.
  scene(s, boot, { more, low }) {
    if (!this.#on || !s) return;
    const mark = s.code && s.left != null && ending(s.left) ? [10, 30, 60].find((n) => s.left <= n * 1000) : 0;
    const live = LIVE.has(s.kind), short = more || boot.attended && live; // where the time that is left is all there is to say
    const name = !mark ? SPOKEN[s.kind] : !short ? "" : mark < 60 ? LEFT[mark] : more ? "code_ending" : "code_ending_cashier";
    const key = `${live ? "code" : s.kind} ${s.number} ${mark} ${name} ${s.ask ?? ""} ${s.paperless ?? ""}`;
    if (key === this.#said) return;
    this.#said = key;
    const { spoken: words, phrases } = boot.words[this.language()];
    const digits = (s.number ?? "").replace(/\D/g, "").split("").join(" ");
    const text = s.ask ? s.ask : name ? words[name === "code" && low ? "code_low" : name].replace("{amt}", s.amount ?? "").replace("{digits}", digits) : [[s.title, s.line].filter(Boolean).join(". "), mark ? words[LEFT[mark]] : ""].join(" ").trim();
    const voice = new SpeechSynthesisUtterance(s.paperless && !s.ask && !mark ? `${text} ${phrases.paperless}` : text);
    voice.lang = this.language();
    window.speechSynthesis.cancel();
    window.speechSynthesis.speak(voice);
  }
}
