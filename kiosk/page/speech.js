// The screen read aloud, for those who ask for it with Space or the button: each screen once, when it comes; no seconds.

const SPOKEN = { code: "code", paying: "paying", paid: "paid", paid_paper: "paid", doubt: "doubt", doubt_kiosk: "doubt" };

export class Speech {
  #on = false; #said = "";

  constructor(language) { this.language = language; }

  get on() { return this.#on; }

  toggle() {
    this.#on = !this.#on && "speechSynthesis" in window;
    this.#said = "";
    if (!this.#on) window.speechSynthesis?.cancel();
  }

  // scene says what has come; idle ends the customer's wish.
  scene(s, boot) {
    if (!this.#on || !s) return;
    if (s.kind === "idle") { this.toggle(); return; }
    const late = s.code && s.left != null && s.left <= 60_000;
    const key = `${s.kind} ${s.number} ${late}`;
    if (key === this.#said) return;
    this.#said = key;
    const words = boot.words[this.language()].spoken;
    const name = late ? "code_ending" : SPOKEN[s.kind];
    const digits = (s.number ?? "").replace(/\D/g, "").split("").join(" ");
    const text = name ? words[name].replace("{amt}", s.amount ?? "").replace("{digits}", digits) : [s.title, s.line].filter(Boolean).join(". ");
    const voice = new SpeechSynthesisUtterance(text);
    voice.lang = this.language();
    window.speechSynthesis.cancel();
    window.speechSynthesis.speak(voice);
  }
}
