// The sale in hand: number, sentence, the two lights, and the calls that the box would accept now.
import { $, esc, put, rub, clock, minor, money } from './dom.js'
import { draw } from './draw.js'
import { store, occupies } from './store.js'
import { complain, reference } from './sale.js'

// after is a sale whose goods have left: what may still be done is a return.
const after = p => ['confirmed', 'part_returned', 'returned'].includes(p.state)

const light = (kind, on, name, yes, no, icon) =>
  `<div class="light ${kind}${on ? ' on' : ''}" role="img" aria-label="${name}: ${on ? yes : no}">${draw(on ? 'tick' : icon)}<span>${name}</span><b>${on ? yes : no}</b></div>`

const lights = p => '<div class="lights">' +
  light('goods', p.lights.hand_over, 'Goods', after(p) ? 'Handed over' : 'Hand over', 'Keep here', 'bag') +
  light('other', p.lights.other_tender, 'Other money', 'Take it', 'Don’t take', 'coins') + '</div>'

const tone = p => {
  if (p.lights.hand_over) return 'good'
  if (p.lights.other_tender) return 'other'
  return p.state === 'in_doubt' || p.doubt_since ? 'doubt' : ''
}

// facts are the small print of a sale.
const facts = p => {
  const f = []
  if (p.remaining_ms && p.state === 'open') f.push(`<span>Code ends in <b>${Math.ceil(store.left(p, p.remaining_ms) / 1000)} s</b></span>`)
  if (p.late_offer) f.push(`<span class="warn">On offer for ${Math.ceil(store.left(p, p.late_offer.remaining_ms) / 1000)} s</span>`)
  if (p.last_decline && p.state === 'open') f.push('<span class="warn">The bank has said no</span>')
  if (p.paid.value && p.paid.value !== p.amount.value) f.push(`<span>Paid <b>${rub(p.paid.value)}</b></span>`)
  if (p.owed.value) f.push(`<span class="warn">Going back ${rub(p.owed.value)}</span>`)
  if (p.returned.value) f.push(`<span>Returned <b>${rub(p.returned.value)}</b></span>`)
  for (const r of p.returns) if (['short', 'refused', 'person', 'later'].includes(r.state)) f.push(`<span class="warn">Return of ${rub(r.amount.value)}: ${esc(r.state)}</span>`)
  for (const flag of p.flags) if (['late', 'over', 'review', 'parked'].includes(flag)) f.push(`<span>${esc({ late: 'came late', over: 'more than asked', review: 'a person must look', parked: 'set aside' }[flag])}</span>`)
  return f.length ? `<div class="facts">${f.join('')}</div>` : ''
}

const button = (does, words, kind = '') => `<button class="${kind}" data-do="${does}">${words}</button>`

// calls draws the buttons of next, the likeliest as the main one.
const calls = p => {
  const draws = {
    confirm: main => button('confirm', 'Goods handed over', main) + button('less', 'For less'),
    return: main => (after(p) ? button('part', 'Return', '') : button('return', p.state === 'paid' ? 'Give it all back' : 'Cancel', main && !occupies(p) ? main : '')),
    extend: () => button('extend', 'More time'),
    accept: main => button('accept', 'Take the late money', main),
    park: () => button('park', 'Set aside'),
    override: () => button('override', 'Supervisor: take other money', 'over'),
  }
  const next = p.next.filter(n => draws[n])
  if (!next.length && p.next.includes('wait')) return '<span class="wait">Nothing to do but wait.</span>'
  return next.map((n, i) => draws[n](i === 0 && n !== 'extend' ? 'main' : '')).join('')
}

// asks are the calls that need more than a touch.
const asks = {
  less: p => `<p>The customer takes less than was paid; the rest goes back.</p><label class="wide"><span>Final amount</span><input name="value" inputmode="decimal" value="${(p.amount.value * .87 / 100).toFixed(2)}"></label>`,
  part: p => `<p>Give back all or a part of sale ${esc(p.number)}.</p><label class="wide"><span>Amount to return</span><input name="value" inputmode="decimal" value="${(Math.min(5000, p.paid.value - p.returned.value - p.owed.value) / 100).toFixed(2)}"></label>`,
  override: p => `<p>${esc(p.say.override ?? '')}</p>` +
    '<label><span>Other money</span><select name="tender"><option>cash</option><option>card</option></select></label><label><span>Who</span><input name="who" value="A. Supervisor" required></label><label class="wide"><span>Why</span><input name="why" value="customer cannot wait" required></label>',
}

const draft = p => `<div class="head"><span>Sale <b>${esc(p.number)}</b></span><b>${rub(p.amount.value)}</b></div>` +
  `<div class="say"><strong>${esc(p.say.cashier.short)}</strong><p>${esc(p.say.cashier.do)}</p></div>` + lights(p)

export const openTill = till => {
  const part = $('#current')
  part.innerHTML = '<div class="body"></div><div class="small"></div><form class="actions"></form><p class="problem" role="alert" hidden></p>'
  const [body, small, actions, wrong] = part.children
  let asking = '', waiting = null

  const send = {
    confirm: p => till.post(`/v1/payments/${p.id}/confirm`, { receipt: { number: `F-${p.number}`, at: new Date().toISOString().replace(/\.\d+/, '') } }),
    less: (p, f) => till.post(`/v1/payments/${p.id}/confirm`, { final_amount: money(minor(f.value.value)) }),
    return: p => till.post(`/v1/payments/${p.id}/return`, { reference: reference() }),
    part: (p, f) => till.post(`/v1/payments/${p.id}/return`, { reference: reference(), amount: money(minor(f.value.value)) }),
    extend: p => till.post(`/v1/payments/${p.id}/extend`),
    accept: p => till.post(`/v1/payments/${p.id}/accept`),
    park: p => till.post(`/v1/payments/${p.id}/park`),
    override: (p, f) => till.post(`/v1/payments/${p.id}/override`, { tender: f.tender.value, who: f.who.value, why: f.why.value }),
  }

  const act = async does => {
    const p = store.current
    try {
      const out = await send[does](p, actions.elements)
      complain(wrong)
      if (asking === does) asking = '' // another question may have been opened meanwhile
      if (out.id === p.id) store.take(out)
      store.take(await till.get(`/v1/payments/${p.id}`))
    } catch (problem) { complain(wrong, problem) }
    show()
  }

  actions.addEventListener('submit', e => { e.preventDefault(); if (asking) act(asking) })
  actions.addEventListener('click', e => {
    const does = e.target.closest('[data-do]')?.dataset.do
    if (!does) return
    e.preventDefault()
    if (does === 'back' || asks[does]) {
      asking = does === 'back' ? '' : does
      complain(wrong)
      show()
      $('input, select', actions)?.focus()
    } else { act(does) }
  })

  const show = () => {
    const p = store.current
    part.dataset.tone = p ? tone(p) : ''
    part.dataset.state = p?.state ?? ''
    if (!p) {
      put(body, `<p class="empty">No sale yet. Write an amount and show a code, or scan the customer’s.</p>`)
      return put(small, '') || put(actions, '')
    }
    put(body, draft(p))
    put(small, facts(p))
    const words = { less: 'Confirm for less', part: 'Return', override: 'Take other money' }
    put(actions, asking ? `<div class="ask">${asks[asking](p)}<div class="row"><button class="main">${words[asking]}</button>${button('back', 'Back', 'plain')}</div></div>` : calls(p))
  }

  // follow waits at the box for the sale in hand to change, as docs/api.md tells a till to.
  const follow = async id => {
    waiting?.abort()
    const mine = waiting = new AbortController()
    while (!mine.signal.aborted) {
      try {
        const now = store.get(id)
        store.take(await till.get(`/v1/payments/${id}?wait=25&after_version=${now?.version ?? 0}`, mine.signal))
      } catch { await new Promise(done => setTimeout(done, 700)) }
    }
  }

  const list = $('#recent ol')
  list.addEventListener('click', e => {
    const id = e.target.closest('button')?.dataset.id
    if (id) store.choose(id)
  })
  const recent = () => {
    const rows = store.all().slice(0, 30).map(p => {
      const open = occupies(p) || p.state === 'in_doubt'
      return `<li><button data-id="${p.id}" class="${p.state === 'paid' ? 'good' : open ? 'open' : ''}" aria-current="${p.id === store.current?.id}" title="asked at ${clock(p.stamps.asked)}"><b>${esc(p.number)}</b><span>${esc(p.say.cashier.short)}</span><span>${rub(p.amount.value)}</span></button></li>`
    })
    put(list, rows.join('') || '<li class="none">None yet</li>')
  }

  let followed = null
  store.watch(() => {
    const p = store.current
    if (p && p.id !== followed) {
      followed = p.id
      asking = ''
      complain(wrong)
      follow(p.id)
    }
    show()
    recent()
  })
  // A page that is opened in the middle of a sale takes it in hand.
  const find = async () => {
    try {
      for (const p of (await till.get('/v1/payments?open=true')).payments) {
        store.take(p)
        if (!store.current && occupies(p)) store.choose(p.id)
      }
    } catch { setTimeout(find, 700) }
  }
  find()
  setInterval(() => { if (store.current) put(small, facts(store.current)) }, 500)
}
