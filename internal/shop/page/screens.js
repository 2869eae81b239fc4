// The screens of the phone, each from what the phone knows.
import { esc, rub } from './dom.js'
import { draw } from './draw.js'

const bar = (title, back) => `<div class="bar"><span>${title}</span>${back ? '<button class="plain" data-act="home">Close</button>' : ''}</div>`
const act = (does, words, kind = '') => `<button type="button" class="${kind}" data-act="${does}">${words}</button>`
const oops = wrong => (wrong ? `<p class="problem" role="alert">${esc(wrong)}</p>` : '')
const hero = (icon, title, more, kind = '') => `<div class="hero ${kind}">${draw(icon, 'pic')}<p class="title">${title}</p>${more}</div>`
const whom = s => `<p class="note">${esc(s.payee || 'Demo shop')}${s.number ? ` · number ${esc(s.number)}` : ''}</p>`

// what the wallet says of a code that it has photographed.
const fate = s => ({ pending: 'not paid', paying: 'being confirmed', paid: 'paid', dead: s.decline ? 'declined' : 'ended' }[s.state] ?? s.state)

const last = s => (s && !s.code ? `<div class="last"><p><b>${rub(s.amount.value)}</b><span>${fate(s)}</span></p>
  <p><span>Last code, still in the camera${s.number ? `: ${esc(s.number)}` : ''}</span></p>
  <div class="two">${s.state === 'pending' ? act('yes', 'Pay it') : act('again', s.state === 'paid' ? 'Pay again' : 'Pay late')}</div></div>` : '')

export const screens = {
  home: ({ seen, wrong }) => bar('Wallet') + `<div class="hero">${draw('bank', 'pic')}<p class="title">Sandbox Bank</p><p class="note">Money that is no money. Scan the shop’s code, or show yours.</p></div><div class="tiles">${act('scan', `${draw('qr')}Scan a code`, 'main')}${act('code', `${draw('phone')}Show my code`)}</div>
    <label class="check"><input type="checkbox" name="ask"> Ask me before my code pays</label>${oops(wrong)}${last(seen)}`,

  camera: ({ sight }) => bar('Camera', true) + `<div class="view">${sight ? `<img src="${sight.src}" alt="The code ${sight.where}">` : '<p>No code in sight. Ask the shop to show one.</p>'}</div>
    <p class="note">${sight ? `Reading the code ${sight.where}` : 'Point at the shop’s screen or paper.'}</p>`,

  ask: ({ seen, wrong, part }) => {
    if (seen.state === 'dead' || seen.paid >= seen.amount.value) return screens.paid({ seen, wrong })
    const pays = part
      ? `<form class="part"><input name="value" inputmode="decimal" aria-label="Part to pay" value="${(seen.rest / 200).toFixed(2)}"><button class="main">Pay</button></form>`
      : act('yes', `Pay ${rub(seen.rest)}`, 'main')
    return bar('Confirm', false) + `<div class="hero">${draw('bank', 'pic')}<p class="note">${esc(seen.payee || 'Demo shop')} asks for</p><p class="sum">${rub(seen.rest)}</p>${seen.number ? `<p class="note">Number ${esc(seen.number)}</p>` : ''}</div>
      ${oops(wrong)}<div class="stack">${pays}${part || seen.code ? '' : act('part', 'Pay a part')}${act('no', 'Refuse')}</div>`
  },

  paid: ({ seen, wrong }) => {
    const done = act('home', 'Done', 'main')
    if (seen.state === 'paid' || seen.paid >= seen.amount.value) {
      const more = seen.paid > seen.amount.value ? `<p class="note">${rub(seen.paid)} in all. The shop gives back what is too much.</p>` : whom(seen)
      return bar('Wallet') + hero('tick', 'Paid', `<p class="sum">${rub(Math.max(seen.paid, seen.amount.value))}</p>${more}`) + oops(wrong) +
        `<div class="stack">${done}${seen.code ? '' : act('again', 'Pay it again')}</div>`
    }
    if (seen.state === 'dead') {
      const why = { not_enough: 'Not enough money on this account.', limit: 'Over your bank’s limit.' }[seen.decline?.why] ?? ''
      const title = seen.paid ? 'Paid after the end' : seen.decline ? 'Your bank said no' : 'This code has ended'
      return bar('Wallet') + hero(seen.paid ? 'clock' : 'no', title, `<p class="note">${seen.paid ? `${rub(seen.paid)} left your account. The shop sends them back.` : esc(why) || 'Nothing was taken.'}</p>`, seen.paid ? 'doubt' : 'no') + oops(wrong) +
        `<div class="stack">${done}${seen.code || seen.paid ? '' : act('again', 'Pay all the same')}</div>`
    }
    if (seen.decline && seen.state === 'pending') {
      return bar('Wallet') + hero('no', 'Your bank said no', '<p class="note">Nothing was taken. The code still works.</p>', 'no') + oops(wrong) + `<div class="stack">${act('yes', 'Try once more', 'main')}${act('home', 'Done')}</div>`
    }
    const some = seen.paid > 0
    return bar('Wallet') + hero(some ? 'coins' : 'dots', some ? `${rub(seen.paid)} paid` : 'On its way', `<p class="note">${some ? `${rub(seen.rest)} still to pay.` : 'The bank is busy with it.'}</p>`, 'doubt') + oops(wrong) +
      `<div class="stack">${some ? act('yes', `Pay ${rub(seen.rest)}`, 'main') : ''}${act('home', 'Done', some ? '' : 'main')}</div>`
  },

  code: ({ mine, wrong }) => {
    const left = Math.max(0, Math.ceil((mine.until - performance.now()) / 1000))
    return bar('My pay code', true) + `<div class="hero"><div class="mycode"><img src="${mine.src}" alt="My pay code"></div><p class="digits">${esc(mine.code.match(/.{1,4}/g).slice(0, 3).join(' '))} …</p>
      <p class="note">${mine.held ? 'The scanner has read it.' : left ? `Good for ${left} s, for one payment.` : 'This code is too old.'}</p></div>
      ${oops(wrong)}<div class="stack">${left ? act('hold', 'Hold it to the scanner', mine.held ? '' : 'main') : ''}${act('code', 'A new code', left ? '' : 'main')}</div>`
  },
}
