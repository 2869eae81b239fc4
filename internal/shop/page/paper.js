// The receipt printer: its lamp, and the paper as it prints. A finished piece is torn off when the next one comes.
import { $, esc } from './dom.js'

const states = { ready: 'Receipt printer', no_paper: 'No paper', cover_open: 'Cover open', unplugged: 'Unplugged' }

export const openPaper = () => {
  const part = $('#printer'), roll = $('.roll', part), closely = $('#closely')
  let shown = ''
  roll.addEventListener('click', () => {
    const img = $('img', roll)
    if (!img) return
    Object.assign($('img', closely), { src: img.src, alt: img.alt })
    closely.showModal()
  })

  const print = async (paper, fresh) => {
    const answer = await fetch('paper.png')
    const src = URL.createObjectURL(await answer.blob())
    const old = $('.piece:not(.torn)', roll)
    roll.insertAdjacentHTML('beforeend', `<div class="piece${fresh ? ' fresh' : ''}"><img src="${src}" alt="${esc(paper.text.join('\n'))}"></div>`)
    if (!old) return
    if (!fresh) return old.remove()
    old.classList.add('torn')
    roll.scrollTop = 0
    setTimeout(() => old.remove(), 600)
  }

  return ({ world, paper }) => {
    part.classList.toggle('bad', world.printer.state !== 'ready')
    part.classList.toggle('out', world.printer.state === 'unplugged')
    $('.body span', part).textContent = states[world.printer.state] ?? world.printer.state
    const now = `${paper.cut} ${paper.printing} ${paper.text.length}`
    if (now === shown) return
    const fresh = shown !== ''
    shown = now
    print(paper, fresh).catch(() => { shown = '' })
  }
}
