// The page's own drawings: strokes on a field of 24 × 24.
const strokes = {
  bag: '<path d="M5 8h14l-1 12H6z"/><path d="M9 8V6.5a3 3 0 0 1 6 0V8"/>',
  coins: '<ellipse cx="9" cy="7" rx="5" ry="2.6"/><path d="M4 7v9.5c0 1.4 2.2 2.6 5 2.6M14 7v2.5M4 11.8c0 1.4 2.2 2.6 5 2.6"/><ellipse cx="15.5" cy="13" rx="4.5" ry="2.3"/><path d="M11 13v5c0 1.3 2 2.3 4.5 2.3S20 19.3 20 18v-5"/>',
  tick: '<path d="m5 12.5 4.7 4.7L19.5 7"/>',
  cross: '<path d="m7 7 10 10M17 7 7 17"/>',
  no: '<circle cx="12" cy="12" r="8.5"/><path d="m6 18 12-12"/>',
  dots: '<path d="M6 12h.01M12 12h.01M18 12h.01" stroke-width="3"/>',
  back: '<path d="M9 6 4 11l5 5"/><path d="M4 11h10a5 5 0 0 1 0 10h-3"/>',
  link: '<path d="M9.5 14.5 14.5 9.5M8 11l-2.5 2.5a3.5 3.5 0 0 0 5 5L13 16M16 13l2.5-2.5a3.5 3.5 0 0 0-5-5L11 8"/>',
  bank: '<path d="M4 9.5 12 4l8 5.5zM6 12.5v5M10 12.5v5M14 12.5v5M18 12.5v5M4 20h16"/>',
  paper: '<path d="M7 3h10v18l-2.5-1.7L12 21l-2.5-1.7L7 21z"/><path d="M10 8h4M10 12h4"/>',
  pole: '<rect x="3" y="5" width="18" height="8" rx="1.5"/><path d="M7 9h.01M10.5 9h.01M14 9h3M12 13v7M8 20h8"/>',
  scanner: '<path d="M4 8V5h3M17 5h3v3M20 16v3h-3M7 19H4v-3M8 9v6M11 9v6M14 9v6M16.5 9v6"/>',
  box: '<rect x="4" y="5" width="16" height="11" rx="1.5"/><path d="M9 20h6M12 16v4M8 9h5M8 12h3"/>',
  phone: '<rect x="7" y="3" width="10" height="18" rx="2"/><path d="M11 18h2"/>',
  qr: '<path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5M20 14v3M14 20h3M20 20h.01"/>',
  clock: '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>',
  drawer: '<path d="M4 10h16v9H4zM6 10V6h12v4M10 14.5h4"/>',
  hand: '<path d="M4 13h4l3 3h4M8 13V8h8v5M16 20l4-4"/>',
}

// draw makes a drawing; it says nothing to a screen reader: the words beside it do.
export const draw = (name, kind = '') =>
  `<svg class="${kind}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${strokes[name] ?? ''}</svg>`
