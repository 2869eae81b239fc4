// What the page knows about the names of screens: which drawing stands in the square, and in which tone. The words come
// from the daemon.

const LOOKS = {
  preparing: ["dots", "wait"], preparing_slow: ["dots", "wait"], preparing_changed: ["dots", "wait"],
  paper: ["paper", "wait"], scan: ["scan", "wait"], scan_wrong: ["scan", "no"], scan_shop: ["scan", "no"], scan_old: ["scan", "no"],
  paying: ["paying", "wait"], charging: ["dots", "wait"], declined: ["cross", "no"], part_paid: ["dots", "wait"],
  paid: ["tick", "good"], paid_paper: ["tick", "good"], paid_less: ["tickback", "good"], paid_over: ["tickback", "back"], credit: ["tick", "good"],
  closing: ["dots", "wait"], expired: ["bar", ""], canceled: ["bar", ""],
  late: ["back", "back"], returning: ["back", "back"], returned: ["back", "back"],
  doubt: ["dots", "doubt"], doubt_kiosk: ["dots", "doubt"],
  unavailable: ["codeoff", ""], out_of_service: ["tilloff", ""], help_net: ["waves", ""], help_scan: ["aim", "wait"], staff: ["person", "wait"],
};

// HELPS stand over a live code for a while, while its countdown goes on: the guests' network, and how to scan.
export const HELPS = ["help_net", "help_scan"];

// LIVE screens carry the shop's code and its countdown.
export const LIVE = new Set(["code", "code_ending", "code_ending_cashier"]);

// look is [drawing, tone] of a screen; a screen that this page does not know waits.
export const look = (kind) => LOOKS[kind] ?? ["dots", "wait"];

export const isPaid = (kind) => ["paid", "paid_paper", "paid_less", "paid_over", "credit"].includes(kind);

// KEPT are the screens besides a live code on which a customer may be paying while nobody tells the page so: his phone asks
// him, or his code is on paper. A page that is alone keeps them to their own end, as it keeps the code: "this till is
// closed" would send away somebody whose bank is about to take the money.
export const KEPT = new Set(["paying", "paper"]);

// CHECKED are the screens on which his part is done and the bank's is not: a page alone says for a minute that it checks.
export const CHECKED = new Set(["charging", "closing", "doubt", "doubt_kiosk"]);

// stays is how long a last screen finishes its time though the daemon is gone, 0 for every other.
export function stays(kind, attended, receipt) {
  if (["paid_over", "late", "expired"].includes(kind)) return 20_000;
  if (isPaid(kind)) return attended ? 6_000 : receipt ? 30_000 : 15_000;
  return ["canceled", "returning", "returned"].includes(kind) ? 8_000 : 0;
}

// timed says whether a screen shows the time that is left: while somebody is paying, no clock ticks.
export const timed = (kind) => LIVE.has(kind) || kind.startsWith("scan") || ["paper", "declined", "part_paid", ...HELPS, "staff"].includes(kind);

// ending is the last minute.
export const ending = (left) => left <= 60_000;

// clock is the time left in words: whole minutes above one, then 0:59 and down.
export function clock(left, minutes) {
  if (left > 60_000) return minutes.replace("{n}", Math.max(1, Math.round(left / 60_000)));
  return `0:${String(Math.min(59, Math.max(0, Math.ceil(left / 1000)))).padStart(2, "0")}`;
}
