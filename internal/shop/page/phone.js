// The customer's phone: a wallet that scans what it can see, asks, pays, and shows a code of its own.
import { $, esc, put, rub, minor, sleep } from './dom.js'
import { store } from './store.js'
import { wallet, picture } from './wallet.js'
import { scan as hold } from './scanner.js'
import { screens } from './screens.js'

export const openPhone = (till, paper) => {
  const glass = $('#phone .screen')
  // at: which screen. seen: the shop's code that was photographed, and the bank's view of it. mine: the code of one's own.
  let at = 'home', seen = null, mine = null, sight = null, wrong = '', part = false

  const show = () => put(glass, screens[at]({ seen, mine, sight, wrong, part }))
  const go = (where, more = '') => { at = where; wrong = more; part = false; show() }

  // look finds a code that a phone could see now: on the screen, else on the paper that was printed for it.
  const look = async () => {
    const p = store.all().find(p => p.qr)
    if (!p) return null
    const onPaper = p.say.customer.screen === 'paper'
    if (onPaper && !(paper()?.codes ?? []).includes(p.qr.payload)) return null
    if (sight?.payload === p.qr.payload) return sight
    const src = await till.picture(p.id)
    return src && { payload: p.qr.payload, src, where: onPaper ? 'on the paper' : 'on the screen' }
  }

  const open = async payload => {
    try {
      seen = { payload, ...await wallet('view', { payload }) }
      if (seen.state === 'pending') seen = { ...seen, ...await wallet('begin', { payload }), payload }
      go('ask')
    } catch (e) { go('home', e.message) }
  }

  // pay says yes; a question that the bank has forgotten meanwhile is asked anew.
  const pay = async (amount, force) => {
    const about = seen.code ? { code: seen.code } : { payload: seen.payload }
    const more = amount ? { amount } : {}
    try {
      let doc
      if (force) doc = await wallet('pay', { ...about, ...more, force: true })
      else doc = await wallet('confirm', { ...about, ...more }).catch(e => (e.code === 'not_begun' && seen.payload ? wallet('pay', { ...about, ...more }) : Promise.reject(e)))
      seen = { ...seen, ...doc, forced: force }
      go('paid')
    } catch (e) { wrong = e.message; show() }
  }

  const acts = {
    home: () => go('home'),
    scan: async () => {
      go('camera')
      for (;;) {
        sight = await look()
        if (at !== 'camera') return
        show()
        if (sight) {
          await sleep(650) // a hand that holds still
          return at === 'camera' && open(sight.payload)
        }
        await sleep(300)
      }
    },
    yes: () => pay(),
    part: () => { part = true; show(); $('input', glass)?.focus() },
    no: async () => {
      try { await wallet('refuse', seen.code ? { code: seen.code } : { payload: seen.payload }) } catch { /* it was closed already */ }
      seen = seen.code ? null : { ...seen, refused: true }
      go('home')
    },
    again: () => pay(seen.amount.value, true),
    code: async () => {
      try {
        const c = await wallet('code', { confirm: $('[name=ask]', glass)?.checked ?? false })
        mine = { ...c, src: await picture(c.code), until: performance.now() + 60_000 }
        go('code')
      } catch (e) { go('home', e.message) }
    },
    hold: async () => {
      const no = await hold(mine.code)
      if (no) { wrong = no; return show() }
      mine = { ...mine, held: true }
      show()
    },
  }

  glass.addEventListener('click', e => {
    const does = e.target.closest('[data-act]')?.dataset.act
    if (does) { e.preventDefault(); acts[does]() }
  })
  glass.addEventListener('submit', e => {
    e.preventDefault()
    const value = minor(e.target.elements.value.value)
    if (value > 0) pay(value)
    else { wrong = 'That is no amount'; show() }
  })

  // The bank's own news of what the phone has open. The customer may have gone on while the bank answered: then it is no news.
  const news = async () => {
    for (;;) {
      await sleep(700)
      const was = at, of = seen, own = mine
      const same = () => at === was && seen === of && mine === own
      try {
        if (seen && !seen.code && ['home', 'ask', 'paid'].includes(at)) {
          const v = await wallet('view', { payload: of.payload })
          if (same()) { seen = { ...of, ...v }; show() }
        } else if (mine?.held && at === 'code') {
          const v = await wallet('view', { code: own.code })
          if (same()) { seen = { ...v, code: own.code }; go(v.state === 'paying' ? 'ask' : 'paid') }
        } else if (seen?.code && ['ask', 'paid'].includes(at)) {
          const v = await wallet('view', { code: of.code })
          if (same()) { seen = { ...of, ...v }; show() }
        } else if (at === 'code') { show() }
      } catch { /* the bank has not heard of it yet, or is down: what is shown stays */ }
    }
  }
  show()
  news()
}
