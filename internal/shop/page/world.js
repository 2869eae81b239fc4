// Bad days: what a hand can do to the shop's surroundings, and undo.
import { $, esc, put } from './dom.js'
import { draw } from './draw.js'

// Each thing with its words: what it is when all is well, and for every other state what it is, what makes it, what mends it.
const things = [
  { name: 'link', icon: 'link', title: 'Link', well: 'box to integrator', bad: {
    cut: { is: 'cut', make: 'Cut' }, silent: { is: 'hangs: open, and silent', make: 'Hang' } }, mend: 'Mend' },
  { name: 'bank', icon: 'bank', title: 'Bank', well: 'answers', bad: { down: { is: 'killed', make: 'Kill 1 min', for: '60s' } }, mend: 'Start now' },
  { name: 'printer', icon: 'paper', title: 'Paper', well: 'in the printer', bad: {
    no_paper: { is: 'out', make: 'Take out' }, cover_open: { is: 'cover open' }, unplugged: { is: 'printer unplugged', make: 'Unplug' } }, mend: 'Put in' },
  { name: 'pole', icon: 'pole', title: 'Pole', well: 'plugged in', bad: { out: { is: 'unplugged', make: 'Unplug' } }, mend: 'Plug in' },
  { name: 'scanner', icon: 'scanner', title: 'Scanner', well: 'plugged in', bad: { out: { is: 'unplugged', make: 'Unplug' } }, mend: 'Plug in' },
  { name: 'tilld', icon: 'box', title: 'tilld', well: 'runs', bad: {
    restarted: { is: 'starting', make: 'Restart' }, down: { is: 'stopped', make: 'Stop' } }, mend: 'Start' },
]

const row = (t, now) => {
  const bad = now.state !== now.states[0]
  const made = Object.entries(t.bad).filter(([, b]) => b.make)
  const left = now.back_ms ? `, ${Math.ceil(now.back_ms / 1000)} s left` : ''
  const buttons = bad
    ? `<button class="main" data-thing="${t.name}" data-state="${now.states[0]}" aria-label="${t.title}: ${t.mend}">${t.mend}</button>`
    : made.map(([state, b]) => `<button data-thing="${t.name}" data-state="${state}" data-for="${b.for ?? ''}" aria-label="${t.title}: ${b.make}">${b.make}</button>`).join('')
  return { bad, icon: draw(bad ? 'no' : t.icon), says: (bad ? t.bad[now.state]?.is ?? now.state : t.well) + left, buttons }
}

export const openWorld = () => {
  const list = $('#world ul'), health = $('#health')
  list.innerHTML = things.map(t => `<li data-thing="${t.name}"><i></i><div><b>${t.title}</b><small></small></div><p></p></li>`).join('')
  $('#world').insertAdjacentHTML('beforeend', '<p class="problem" role="alert" hidden></p>')
  const problem = $('#world .problem')
  list.addEventListener('click', async e => {
    const b = e.target.closest('button')
    if (!b) return
    b.disabled = true
    const body = b.dataset.for ? { state: b.dataset.state, for: b.dataset.for } : { state: b.dataset.state }
    try {
      const answer = await fetch(`world/${b.dataset.thing}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      problem.hidden = answer.ok
      if (!answer.ok) problem.textContent = await answer.text()
    } catch { problem.hidden = false; problem.textContent = 'The demo itself does not answer.' }
    b.disabled = false
  })
  return ({ world, gone }) => {
    const wrong = []
    for (const t of things) {
      const li = $(`[data-thing=${t.name}]`, list), r = row(t, world[t.name])
      li.classList.toggle('bad', r.bad)
      put($('i', li), r.icon)
      put($('small', li), esc(r.says))
      const focused = li.contains(document.activeElement)
      if (put($('p', li), r.buttons) && focused) $('button', li)?.focus()
      if (r.bad) wrong.push(`${t.title} ${r.says.split(',')[0]}`)
    }
    health.classList.toggle('bad', gone || wrong.length > 0)
    put(health, `<i></i>${gone ? 'The demo has been stopped' : wrong.length ? esc(wrong.join(' · ')) : 'All is well'}`)
  }
}
