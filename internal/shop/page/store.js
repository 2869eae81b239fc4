// What the page knows of payments: of each the newest version, and which one the cashier has in hand.
const payments = new Map()
const watchers = new Set()
let current = null

export const store = {
  watch(f) { watchers.add(f); f() },
  get current() { return current ? payments.get(current) : null },
  get(id) { return payments.get(id) },
  // newest first
  all() { return [...payments.values()].sort((a, b) => (a.id < b.id ? 1 : -1)) },

  take(p) {
    const old = payments.get(p.id)
    if (old && old.version > p.version) return
    payments.set(p.id, { ...p, seen: performance.now() })
    for (const f of watchers) f()
  },

  choose(id) {
    current = id
    for (const f of watchers) f()
  },

  // left is what remains of a time that the box counts down, now.
  left: (p, ms) => Math.max(0, ms - (performance.now() - p.seen)),
}

// occupies says that no second payment can be asked for now.
export const occupies = p => ['submitted', 'open', 'paying', 'charging', 'part_paid'].includes(p.state) ||
  (['closing', 'in_doubt'].includes(p.state) && !p.flags.includes('parked'))
