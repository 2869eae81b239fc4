// The box's stream of events as people read it, with what each really says one touch away.
import { $, esc, clock } from './dom.js'
import { draw } from './draw.js'
import { sentence } from './sentences.js'

const most = 400 // rows that are kept
const kinds = [['', 'All'], ['payment', 'Sales'], ['scan', 'Scans'], ['print', 'Paper'], ['device', 'Rest']]
const kindOf = type => {
  const first = type.split('.')[0]
  return ['payment', 'scan', 'print'].includes(first) ? first : 'device'
}

export const openEvents = (till, each) => {
  const part = $('#events'), list = $('ol', part), live = $('.live', part), group = $('.kinds', part), search = $('[type=search]', part)
  group.innerHTML = kinds.map(([k, words]) => `<button type="button" data-kind="${k}" aria-pressed="${k === ''}">${words}</button>`).join('')
  list.innerHTML = '<li class="none">Nothing has happened yet.</li>'
  let kind = '', word = ''

  const fits = li => (!kind || li.dataset.kind === kind) && (!word || li.dataset.text.includes(word))
  const sift = () => { for (const li of list.children) li.hidden = li.dataset.kind ? !fits(li) : false }
  group.addEventListener('click', e => {
    const b = e.target.closest('button')
    if (!b) return
    kind = b.dataset.kind
    for (const x of group.children) x.setAttribute('aria-pressed', x === b)
    sift()
  })
  search.addEventListener('input', () => { word = search.value.trim().toLowerCase(); sift() })

  const add = e => {
    const s = sentence(e), li = document.createElement('li')
    li.dataset.kind = kindOf(e.type)
    li.dataset.tone = s.tone ?? ''
    li.dataset.type = e.type
    li.dataset.text = `${e.type} ${s.number ?? ''} ${s.text}`.toLowerCase()
    li.innerHTML = `<details><summary><time datetime="${esc(e.at)}">${clock(e.at)}</time>${draw(s.icon)}<span>${s.number ? `<b>${esc(s.number)}</b> ${esc(s.text)}` : esc(s.text[0].toUpperCase() + s.text.slice(1))}</span></summary></details>`
    const details = li.firstChild
    details.addEventListener('toggle', () => {
      if (details.open && !details.querySelector('pre')) details.insertAdjacentHTML('beforeend', `<pre tabindex="0">${esc(JSON.stringify(e, null, 2))}</pre>`)
    })
    $('.none', list)?.remove()
    li.hidden = !fits(li)
    list.prepend(li)
    while (list.children.length > most) list.lastChild.remove()
  }
  till.events(e => { each(e); add(e) }, up => {
    live.classList.toggle('bad', !up)
    live.innerHTML = `<i></i>${up ? 'Live' : 'Waiting for tilld'}`
  })
}
