// The line to the daemon. It is on this machine: a break is told within seconds and tried again at once, with pauses
// that stay short.

const BEAT = 2000; // ms between our own signs of life: a browser answers pings for a page that hangs
const SILENT = 5500; // ms without a word = the daemon is gone, even if the line still stands
const PAUSES = [100, 250, 500, 1000]; // ms between attempts, the last one for ever

export class Feed {
  #socket; #beat; #heard = 0; #tries = 0; #nr = 0;

  // on: {screen(frame), lost(), found()}
  constructor(url, on) {
    this.url = url;
    this.on = on;
    document.addEventListener("visibilitychange", () => this.#hello());
    this.#open();
  }

  get open() { return this.#socket?.readyState === WebSocket.OPEN; }

  #open() {
    const socket = new WebSocket(this.url, "tilld.kiosk.v1");
    this.#socket = socket;
    this.#heard = performance.now();
    socket.onopen = () => { this.#hello(); };
    socket.onmessage = (e) => {
      if (socket !== this.#socket) return;
      this.#heard = performance.now();
      this.#tries = 0;
      const frame = JSON.parse(e.data);
      if (frame.t === "screen") this.on.screen(frame);
      else if (frame.t === "beat") this.on.found();
    };
    socket.onclose = () => this.#broken(socket);
    clearInterval(this.#beat);
    this.#beat = setInterval(() => {
      if (performance.now() - this.#heard > SILENT) this.#broken(socket);
      else this.#send({ t: "beat", nr: this.#nr });
    }, BEAT);
  }

  #broken(socket) {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    clearInterval(this.#beat);
    socket.onclose = socket.onmessage = null;
    socket.close();
    this.on.lost();
    setTimeout(() => this.#open(), PAUSES[Math.min(this.#tries++, PAUSES.length - 1)]);
  }

  #hello() { this.#send({ t: "hello", nr: 0, visible: document.visibilityState === "visible" }); }

  #send(word) { if (this.open) this.#socket.send(JSON.stringify(word)); }

  // drawn tells what stands on the glass now, as it was read back from it.
  drawn(nr, code) { this.#nr = nr; this.#send(code ? { t: "drawn", nr, code } : { t: "drawn", nr }); }

  touch(ref, button, choice) { this.#send({ t: "touch", nr: this.#nr, ref: ref ?? "", button, choice: choice ?? "" }); }
}
