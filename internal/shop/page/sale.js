// The form of a new sale: an amount, and which side shows the code.
import { $, esc, minor, money } from './dom.js'
import { store, occupies } from './store.js'

// What the sandbox bank does by the last two digits of an amount.
const magic = [
  ['', 'all goes well'], ['01', '01 declined once'], ['02', '02 declined for good'], ['03', '03 money comes late'], ['04', '04 paid in the cancel'],
  ['05', '05 paid twice'], ['06', '06 silent, then paid'], ['07', '07 silent, then dead'], ['08', '08 slow'], ['09', '09 in two parts'],
  ['10', '10 return refused'], ['11', '11 account short'], ['12', '12 confirms for 40 s'], ['13', '13 no code'],
]

// Why a lane takes no QR money now, in a cashier's words.
const why = { no_link: 'No link', no_provider: 'No bank', no_scanner: 'No scanner', no_output: 'No screen', no_numbers: 'No numbers yet', acknowledge: 'A person must look' }

// complain shows what a call was refused for.
export const complain = (where, problem) => {
  where.hidden = !problem
  if (problem) where.innerHTML = `<b>${esc(problem.message)}</b>${esc(problem.help ?? '')}`
}

// refused is a problem in a cashier's words, where the box's own are for a programmer.
const refused = (problem, outputs) => {
  if (problem.code !== 'unavailable') return problem
  if (outputs && problem.why === 'no_output') return { message: 'The printer cannot print a code now', help: 'Show it on the screen, or offer card or cash.' }
  return { message: why[problem.why] ?? problem.message, help: 'Offer card or cash. We tell you when it works again.' }
}

// reference is a key of this till's own, never used before.
export const reference = () => `D-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 6)}`

export const openSale = (till, lane) => {
  const form = $('#sale'), { amount, magic: choice, life, outputs } = form.elements, wrong = $('.problem', form), state = $('#lane-state')
  choice.innerHTML = magic.map(([digits, words]) => `<option value="${digits}">${words}</option>`).join('')
  choice.addEventListener('change', () => {
    const value = minor(amount.value)
    if (value >= 0) amount.value = `${Math.floor(value / 100)}.${choice.value || '50'}`
  })
  amount.addEventListener('input', () => {
    const digits = amount.value.match(/[.,](\d\d)$/)?.[1] ?? ''
    choice.value = magic.some(([d]) => d === digits) ? digits : ''
  })

  form.addEventListener('submit', async e => {
    e.preventDefault()
    const value = minor(amount.value)
    if (!(value > 0)) return complain(wrong, { message: 'That is no amount', help: 'Write roubles and kopecks: 125.50' })
    const ask = { reference: reference(), amount: money(value), mode: e.submitter?.value ?? 'show', purpose: 'sale', expires_in: life.value }
    if (outputs.value && ask.mode === 'show') ask.outputs = [outputs.value]
    const old = store.current
    if (old && occupies(old)) ask.replaces = old.id
    try {
      const p = await till.post('/v1/payments', ask)
      complain(wrong)
      store.take(p)
      store.choose(p.id)
    } catch (problem) { complain(wrong, refused(problem, ask.outputs)) }
  })

  store.watch(() => {
    const p = store.current, busy = p && occupies(p)
    const [show, theirs] = form.querySelectorAll('[name=mode]')
    show.textContent = busy ? 'Replace by a new code' : 'Show a code'
    show.classList.toggle('main', !busy)
    theirs.hidden = Boolean(busy)
    form.classList.toggle('busy', Boolean(busy))
  })

  // The lane can take money now, or not and why.
  let stood = ''
  const look = async () => {
    let words = 'No answer from tilld', bad = true
    try {
      const { lanes: { [lane]: l } } = await till.get('/v1/availability')
      bad = !(l.show.ok && l.scan.ok)
      if (!bad && stood !== JSON.stringify(l)) complain(wrong) // what was refused then may be taken now
      stood = JSON.stringify(l)
      words = bad ? why[l.show.why || l.scan.why] ?? l.show.why : 'Lane 1 is ready'
    } catch { /* said */ }
    state.textContent = words
    state.classList.toggle('bad', bad)
    setTimeout(look, 700)
  }
  look()
}
