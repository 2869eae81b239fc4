// The page's own drawings: strokes in a square of 240 units, in the colour of the text around them. No signs of any
// font, so they look the same on every machine; each stands beside its word and differs by shape, not by colour alone.

const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
  const e = document.createElementNS(SVG, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  return e;
}

const line = (d, width = 12) => shape("path", { d, fill: "none", stroke: "currentColor", "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" });
const solid = (d) => shape("path", { d, fill: "currentColor" });
const disc = (cx, cy, r) => shape("circle", { cx, cy, r, fill: "currentColor" });
const ring = (cx, cy, r, width = 12) => shape("circle", { cx, cy, r, fill: "none", stroke: "currentColor", "stroke-width": width });

const phone = "M92 22h56a16 16 0 0 1 16 16v164a16 16 0 0 1-16 16H92a16 16 0 0 1-16-16V38a16 16 0 0 1 16-16z";
const little = (x, y, s) => [ // three corners of a code
  line(`M${x} ${y}h${s}v${s}h-${s}z`, 8), line(`M${x + 1.7 * s} ${y}h${s}v${s}h-${s}z`, 8), line(`M${x} ${y + 1.7 * s}h${s}v${s}h-${s}z`, 8),
];

const drawings = {
  dots: () => [disc(60, 120, 17), disc(120, 120, 17), disc(180, 120, 17)],
  tick: () => [ring(120, 120, 98, 14), line("M76 124l31 31 60-67", 18)],
  cross: () => [ring(120, 120, 98, 14), line("M86 86l68 68M154 86l-68 68", 18)],
  back: () => [line("M66 92h76a44 44 0 0 1 0 88H84", 18), line("M100 54L62 92l38 38", 18)],
  tickback: () => [ring(92, 92, 70, 13), line("M60 95l22 22 43-48", 15), line("M132 190h50a24 24 0 0 0 0-48", 12), line("M152 168l-22 22 22 22", 12)],
  paying: () => [line("M70 14h64a16 16 0 0 1 16 16v150a16 16 0 0 1-16 16H70a16 16 0 0 1-16-16V30a16 16 0 0 1 16-16z"), line("M90 36h24", 9), // a finger on the phone's glass
    line("M72 118a34 34 0 0 1 60-22", 9), hand()],
  paper: () => [line("M70 20h100v192l-17-14-17 14-16-14-17 14-16-14-17 14z"), ...little(92, 52, 21), line("M92 148h56M92 170h34", 9)],
  bar: () => [line("M40 40h160v160H40z", 12), line("M22 218L218 22", 16)],
  codeoff: () => [...little(52, 52, 42), line("M128 128h18v18M164 132v20h22M132 168v20M158 178h28", 8), line("M24 216L216 24", 18)],
  tilloff: () => [line("M44 112h152l16 84H28zM76 112V62h88v50M96 88h48M84 144h8M116 144h8M148 144h8M76 168h88"), line("M28 214L212 30", 18)],
  person: () => [ring(120, 76, 40, 13), line("M46 208c4-48 34-72 74-72s70 24 74 72", 13)],
  aim: () => [...little(20, 82, 28), line("M158 26h50a16 16 0 0 1 16 16v156a16 16 0 0 1-16 16h-50a16 16 0 0 1-16-16V42a16 16 0 0 1 16-16z"), // a phone that looks at a code, and sees it
    line("M130 120h-22M118 108l-12 12 12 12", 9), line("M160 104V92h10M196 92h10v12M206 136v12h-10M170 148h-10v-12", 8), ...little(172, 106, 8).map((e) => (e.setAttribute("stroke-width", 5), e))],
  waves: () => [shape("path", { d: wavy(240, 3.5, 24), fill: "#fff", stroke: "currentColor", "stroke-width": 3.5, "stroke-linejoin": "round" })],
  voice: () => [line("M36 94h42l54-42v136l-54-42H36z", 16), line("M160 86a48 48 0 0 1 0 68M190 58a88 88 0 0 1 0 124", 16)],
  wheelchair: () => [disc(92, 34, 22), line("M92 74v64h62l34 62 22-10M92 100h50", 18), line("M70 112a56 56 0 1 0 82 66", 16)],
  bigger: () => [ring(104, 104, 68, 18), line("M156 156l56 56", 22), line("M104 74v60M74 104h60", 16)],
};

// hand is a pointing finger, filled with the ground that it lies on.
function hand() {
  const h = line("M104 124a14 14 0 0 1 28 0v46l42 10a22 22 0 0 1 16 25l-6 25h-68l-33-46a12 12 0 0 1 18-16l3 3z", 11);
  h.setAttribute("fill", "var(--ground)");
  return h;
}

// wavy is a closed frame of waves just inside a square: not the straight frame of the code that takes money.
function wavy(side, high, waves) {
  const near = high + 2, far = side - near, step = (far - near) / waves;
  let d = `M${near} ${near}`;
  const wave = (dx, dy) => {
    for (let i = 0; i < waves; i++) {
      const s = i % 2 ? 1 : -1;
      d += `q${dx * step / 2 + dy * s * 2 * high} ${dy * step / 2 - dx * s * 2 * high} ${dx * step} ${dy * step}`;
    }
  };
  wave(1, 0); wave(0, 1); wave(-1, 0); wave(0, -1);
  return d + "z";
}

// drawScan is a phone that is held towards the real scanner: up, down, left or right of the glass.
function drawScan(side) {
  const turn = { right: 0, down: 90, left: 180, up: 270 }[side] ?? 90;
  const g = shape("g", { transform: `rotate(${turn} 120 120)` });
  g.append(line("M132 120h60", 14), line("M166 92l28 28-28 28", 14), line("M222 62v116", 16));
  const hand = shape("g", { transform: side === "left" ? "translate(92 0)" : side === "right" ? "translate(-26 0)" : side === "up" ? "translate(0 62) scale(.84) translate(22 20)" : "translate(22 -3) scale(.84)" });
  if (side === "left" || side === "right") {
    hand.append(line("M46 48h52a14 14 0 0 1 14 14v116a14 14 0 0 1-14 14H46a14 14 0 0 1-14-14V62a14 14 0 0 1 14-14z"), ...little(50, 88, 18));
  } else {
    hand.append(line("M88 12h64a14 14 0 0 1 14 14v100a14 14 0 0 1-14 14H88a14 14 0 0 1-14-14V26a14 14 0 0 1 14-14z"), ...little(97, 46, 18));
  }
  return [hand, g];
}

// draw makes a drawing by its name; scanning needs to know where the scanner is.
export function draw(name, scanner) {
  const svg = shape("svg", { viewBox: "0 0 240 240" });
  svg.append(...(name === "scan" ? drawScan(scanner) : drawings[name]()));
  return svg;
}
