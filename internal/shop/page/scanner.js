// The lane's scanner, and any code that somebody holds in front of it.
import { $ } from './dom.js'

// scan holds a code in front of the scanner; it answers what went wrong, or nothing.
export const scan = async text => {
  const answer = await fetch('scan', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text }) })
  return answer.ok ? '' : (await answer.text()).trim()
}

export const openScanner = () => {
  const form = $('#scanner form'), said = $('#scanner .said')
  const read = async text => {
    const wrong = await scan(text)
    said.textContent = wrong || 'Read'
    said.classList.toggle('bad', wrong !== '')
    if (!wrong) form.reset()
  }
  form.addEventListener('submit', e => { e.preventDefault(); read(form.elements.text.value) })
  form.addEventListener('click', e => { if (e.target.dataset.text) read(e.target.dataset.text) })
}
