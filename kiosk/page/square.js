// The code on the glass. It is on or off in one frame, each module a whole number of real pixels, and it is read back
// from the canvas itself: what the daemon hears is what stands there, not what was meant.

const QUIET = 4; // modules of margin, ISO/IEC 18004

// unpack gives module (x, y) of a packed symbol.
function unpack(code) {
  const bits = Uint8Array.from(atob(code.bits), (c) => c.charCodeAt(0));
  return (x, y) => {
    const i = y * code.size + x;
    return (bits[i >> 3] & (0x80 >> (i & 7))) !== 0;
  };
}

// put draws a symbol into the middle of a box of side × side CSS pixels at (left, top) of the window, as large as whole
// pixels allow. inset keeps a frame free.
export function put(canvas, code, box, origin, inset = 0) {
  const ratio = window.devicePixelRatio || 1;
  const modules = code.size + 2 * QUIET;
  const scale = Math.max(1, Math.floor((Math.min(box.width, box.height) - 2 * inset) * ratio / modules + 1e-6));
  const side = modules * scale;
  canvas.width = canvas.height = side;
  const g = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  g.fillStyle = "#fff";
  g.fillRect(0, 0, side, side);
  g.fillStyle = "#000";
  const dark = unpack(code);
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      if (dark(x, y)) g.fillRect((x + QUIET) * scale, (y + QUIET) * scale, scale, scale);
    }
  }
  canvas.style.width = canvas.style.height = `${side / ratio}px`;
  const snap = (from, length) => Math.round((from + (length - side / ratio) / 2) * ratio) / ratio;
  canvas.style.left = `${snap(box.left, box.width) - origin.left}px`;
  canvas.style.top = `${snap(box.top, box.height) - origin.top}px`;
  canvas.dataset.size = code.size;
  canvas.dataset.scale = scale;
  canvas.hidden = false;
}

// off takes the code away, pixels and all.
export function off(canvas) {
  canvas.hidden = true;
  canvas.width = canvas.height = 1;
  delete canvas.dataset.size;
}

// read gives what stands on the glass: null if there is no code, if something lies over it, or if it is out of sight.
export function read(canvas) {
  const size = Number(canvas.dataset.size);
  if (canvas.hidden || !size || document.visibilityState !== "visible") return null;
  const r = canvas.getBoundingClientRect();
  if (r.left < 0 || r.top < 0 || r.right > innerWidth + 0.5 || r.bottom > innerHeight + 0.5) return null;
  const spots = [[0.5, 0.5], [0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]];
  if (spots.some(([x, y]) => document.elementFromPoint(r.left + r.width * x, r.top + r.height * y) !== canvas)) return null;
  const scale = Number(canvas.dataset.scale);
  const px = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const bits = new Uint8Array(Math.ceil(size * size / 8));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const cx = (x + QUIET) * scale + (scale >> 1), cy = (y + QUIET) * scale + (scale >> 1);
      const i = y * size + x;
      if (px[(cy * canvas.width + cx) * 4] < 128) bits[i >> 3] |= 0x80 >> (i & 7);
    }
  }
  return { size, bits: btoa(String.fromCharCode(...bits)) };
}
