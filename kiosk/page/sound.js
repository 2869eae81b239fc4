// Sounds are made here, there are no files. They differ by rhythm as well as by pitch, and none is the only sign of
// anything. Each is [hertz, from, for] in milliseconds, and a loudness in decibels.

const SOUNDS = {
  ready: [-18, [[660, 0, 80]]],
  tick: [-18, [[440, 0, 30]]],
  paid: [-8, [[660, 0, 90], [990, 100, 180]]],
  over: [-8, [[660, 0, 90], [990, 100, 180], [262, 430, 250]]], // paid, then that money goes back
  half: [-12, [[660, 0, 90], [660, 150, 90]]],
  no: [-12, [[330, 0, 90], [330, 160, 90]], "triangle"],
  low: [-10, [[262, 0, 250]]],
  doubt: [-10, [[262, 0, 200], [262, 290, 200]]],
};

const QUIETER = 0.5; // at night

let context;

// play makes a sound; a browser that forbids it before the first touch stays silent, and the picture says the same.
export function play(name, boot) {
  const sound = SOUNDS[name];
  if (!sound || boot.mute || !window.AudioContext) return;
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => {});
  if (context.state !== "running") return;
  const [decibels, notes, wave] = sound;
  const loud = 10 ** (decibels / 20) * (night(boot.night, new Date().getHours()) ? QUIETER : 1);
  for (const [hertz, from, length] of notes) {
    const start = context.currentTime + from / 1000, end = start + length / 1000;
    const tone = context.createOscillator(), gain = context.createGain();
    tone.type = wave ?? "sine";
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, start); // ramps keep the ends from clicking
    gain.gain.linearRampToValueAtTime(loud, start + 0.006);
    gain.gain.setValueAtTime(loud, Math.max(start + 0.006, end - 0.012));
    gain.gain.linearRampToValueAtTime(0, end);
    tone.connect(gain).connect(context.destination);
    tone.start(start);
    tone.stop(end);
  }
}

// night says whether an hour lies in the quiet ones, which may go over midnight.
export function night([from, to], hour) {
  return from <= to ? from <= hour && hour < to : hour >= from || hour < to;
}

// ready lets sounds start once somebody has touched the page.
export function ready() {
  if (context?.state === "suspended") context.resume().catch(() => {});
}
