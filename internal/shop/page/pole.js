// The pole's glass, two rows of twenty letters, drawn dot by dot from what the pole's own electronics have understood.
import { $, sleep } from './dom.js'
import { dots } from './glyphs.js'

const rows = 2, columns = 20
const pitch = { dot: 4, cell: 25, row: 42 }

// path of every dot that is lit, or of every dot there is.
const path = (lines, lit) => {
  let d = ''
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const cell = dots((lines[r] ?? '')[c] ?? ' ')
      for (let x = 0; x < 5; x++) {
        for (let y = 0; y < 7; y++) {
          if (!lit || cell[x] >> y & 1) d += `M${14 + c * pitch.cell + x * pitch.dot} ${14 + r * pitch.row + y * pitch.dot}h3.2v3.2h-3.2z`
        }
      }
    }
  }
  return d
}

export const openPole = () => {
  const part = $('#pole'), glass = $('.glass', part), text = $('pre', part)
  const w = 28 + columns * pitch.cell - 5, h = 28 + rows * pitch.row - 14
  glass.innerHTML = `<svg viewBox="0 0 ${w} ${h}" role="img"><path class="dark" d="${path([], false)}"/><path class="glow"/><path class="lit"/></svg>`
  const svg = $('svg', glass)
  let last
  const show = said => {
    if (said === last) return
    last = text.textContent = said
    const d = path(said.split('\n'), true)
    $('.glow', svg).setAttribute('d', d)
    $('.lit', svg).setAttribute('d', d)
    svg.setAttribute('aria-label', said.trim() ? `The pole reads: ${said.trim().replace('\n', ', ')}` : 'The pole is dark')
  }
  const watch = async () => {
    for (;;) {
      try { show(await (await fetch('pole')).text()) } catch { show('') }
      await sleep(200)
    }
  }
  watch()
  return ({ world }) => part.classList.toggle('out', world.pole.state === 'out')
}
