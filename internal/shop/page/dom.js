// Small words for the page's elements.
export const $ = (what, from = document) => from.querySelector(what)

const kept = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
export const esc = text => String(text ?? '').replace(/[&<>"]/g, c => kept[c])

// put replaces what stands in an element only if it has changed, so that focus and selection stay where they are.
export const put = (element, html) => {
  if (element.kept === html) return false
  element.kept = html
  element.innerHTML = html
  return true
}

// rub shows minor units as a person writes them.
export const rub = value => {
  const [whole, part] = (Math.abs(value) / 100).toFixed(2).split('.')
  return `${value < 0 ? '−' : ''}${whole.replace(/\B(?=(\d{3})+$)/g, '\u202f')}.${part}\u00a0₽`
}

// minor reads what a person writes, 125.50 or 125,50, as minor units; NaN is no amount.
export const minor = text => {
  const m = /^\s*(\d{1,9})(?:[.,](\d{1,2}))?\s*$/.exec(text.replace(/[\s\u202f]/g, ''))
  return m ? Number(m[1]) * 100 + Number((m[2] ?? '').padEnd(2, '0')) : NaN
}

export const clock = at => new Date(at).toLocaleTimeString('en-GB')
export const sleep = ms => new Promise(done => setTimeout(done, ms))
export const money = value => ({ value, currency: 'RUB' })
