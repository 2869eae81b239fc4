// One sentence for each event.
import { rub } from './dom.js'
import { store } from './store.js'

// payments: what has happened to a sale, by the type of the event.
const payments = {
  submitted: p => [`asked for ${rub(p.amount.value)}${p.mode === 'scan' ? ', waiting for the customer’s code' : ''}`, 'dots'],
  open: p => [p.mode === 'scan' ? 'waits for the customer’s code' : 'the code is shown', p.mode === 'scan' ? 'scanner' : 'qr'],
  part: p => [`${rub(p.paid.value)} of ${rub(p.amount.value)} paid`, 'coins', 'doubt'],
  paying: () => ['somebody is confirming; the code steps back', 'phone'],
  charging: () => ['the bank is asked about the customer’s code', 'bank'],
  declined: () => ['the bank said no; nothing was taken', 'no', 'bad'],
  paid: p => [`paid ${rub(p.paid.value)}: hand over`, 'tick', 'good'],
  confirmed: () => ['handed over', 'bag', 'good'],
  done: () => ['finished', 'tick'],
  late: p => [`money came late: ${rub(p.amount.value)}`, 'clock', 'doubt'],
  accepting: () => ['the cashier takes the late money', 'hand'],
  closing: () => ['the code is off; the bank is asked to close it', 'dots'],
  fenced: () => ['the goods stay: other money is safe', 'coins', 'other'],
  money_late: () => ['late money is noted', 'clock', 'doubt'],
  paid_after_close: p => [`money came after the end and goes back: ${rub(p.owed.value || p.paid.value)}`, 'back', 'doubt'],
  over: () => ['paid twice: what is too much goes back', 'back', 'doubt'],
  ended: p => [{ expired: 'ended, nobody paid: other money is safe', canceled: 'cancelled: other money is safe', refused: 'the bank gave no code: other money is safe' }[p.state] ?? 'ended', 'cross', 'other'],
  parked: () => ['set aside; the lane is free', 'clock'],
  settled: p => [`settled: ${p.lights.hand_over ? 'it was paid' : 'it was not paid'}`, 'tick', p.lights.hand_over ? 'good' : 'other'],
  doubt: p => [`not known yet${p.doubt_why === 'link' ? ': no link' : ''}`, 'dots', 'doubt'],
  doubt_over: () => ['known again', 'tick'],
  overridden: () => ['a supervisor took other money', 'hand', 'other'],
  returning: p => [`return asked for: ${rub(p.owed.value || p.returns.at(-1)?.amount?.value || 0)}`, 'back'],
  returned: p => [`returned ${rub(p.returned.value)}`, 'back'],
  review: () => ['a person must look', 'no', 'bad'],
  unfinished: () => ['finish this sale: confirm or return', 'clock', 'doubt'],
  receipt: () => ['has its receipt', 'paper'],
  no_receipt: () => ['paid, but no receipt yet', 'paper', 'doubt'],
}

const scans = { pay_code: 'a pay code', product: 'a goods code', shop_code: 'a shop’s code' }
const prints = { queued: 'waits for the printer', printing: 'prints', printed: 'is printed', blocked: 'waits', unblocked: 'goes on', not_printed: 'was not printed', unknown: 'may be printed: look' }
const papers = { code: 'the code', paid: 'slip “paid”', paid_twice: 'slip “paid twice”', return_asked: 'slip of the return', returned: 'slip “returned”', late: 'slip “too late”', doubt: 'slip “being checked”' }

const spaced = text => String(text ?? '').replaceAll('_', ' ')

// print: a paper of the shop's own is named by what it is about and by the payment's id.
const print = (state, d) => {
  const [kind, id] = String(d.reference ?? '').split('/')
  const text = `${papers[kind] ?? 'receipt'} ${prints[state] ?? spaced(state)}${d.blocked?.why ? `: ${spaced(d.blocked.why)}` : ''}`
  return { number: about(id)?.number, text, icon: 'paper', tone: d.blocked || ['not_printed', 'unknown'].includes(state) ? 'bad' : '' }
}

// about is the payment of an id, or the one that a return of that id belongs to.
const about = id => store.get(id) ?? store.all().find(p => p.returns.some(r => r.id === id))

const scan = d => ({ text: `Scanned ${scans[d.kind] ?? 'a code'} ${d.masked ?? ''}${d.say?.short ? `: ${d.say.short}` : ''}`, icon: 'scanner', tone: d.say ? 'doubt' : '' })

// device: which one, by what it is for, and what has become of it.
const device = (state, d) => {
  if (state === 'arrived' || state === 'left') {
    return { text: `${d.product || d.name || 'a USB device'} was ${state === 'left' ? 'unplugged' : 'plugged in'}`, icon: 'box' }
  }
  const [icon, name] = { 'customer-display': ['pole', 'pole'], 'receipt-printer': ['paper', 'printer'], scanner: ['scanner', 'scanner'], kiosk: ['box', 'customer’s screen'], drawer: ['drawer', 'drawer'] }[d.role] ?? ['box', d.role]
  if (state === 'bound') return { text: `the ${name} is ${d.unit?.product || d.unit?.name || 'bound'}`, icon }
  return { text: `the ${name} ${{ ready: 'is ready', away: 'is away', unbound: 'has no device yet' }[state] ?? spaced(state)}`, icon, tone: state === 'ready' ? '' : 'bad' }
}

// trouble is its first sentence; the rest, and the remedy, are one touch away.
const trouble = d => (d.sentence ? d.sentence.replace(/\. .*$/, '.') : spaced(d.code))

const health = (state, d) => (state === 'cleared'
  ? { text: `mended: ${trouble(d)}`, icon: 'tick', tone: 'good' }
  : { text: trouble(d), icon: 'no', tone: d.severity === 'note' ? 'doubt' : 'bad' })

const availability = d => {
  const { show, receipt } = Object.values(d.lanes ?? {})[0] ?? {}
  const slips = { paper: 'receipts on paper', screen: 'receipts on the screen' }[receipt] ?? 'no receipts'
  return show?.ok ? { text: `The lane can take QR money; ${slips}`, icon: 'link' } : { text: `No QR money now: ${spaced(show?.why)}; ${slips}`, icon: 'no', tone: 'bad' }
}

export const sentence = e => {
  const [first, second] = e.type.split('.'), d = e.data ?? {}
  switch (first) {
    case 'payment': {
      const [text, icon, tone] = payments[second]?.(d) ?? [spaced(second), 'dots']
      return { number: d.number, text, icon, tone }
    }
    case 'print': return print(second, d)
    case 'scan': return scan(d)
    case 'device': return device(second, d)
    case 'health': return health(second, d)
    case 'availability': return availability(d)
  }
  return { text: spaced(`${first} ${second ?? ''}`).trim(), icon: { drawer: 'drawer', kiosk: 'hand' }[first] ?? 'box' }
}
