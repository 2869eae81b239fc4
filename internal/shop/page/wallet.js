// The wallet's own calls, to the sandbox bank by way of the page's server.

export class Refused extends Error {
  constructor(status, code, text) { super(text); Object.assign(this, { status, code }) }
}

export const wallet = async (call, body = {}) => {
  let answer, text
  try {
    answer = await fetch(`wallet/${call}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    text = await answer.text()
  } catch { throw new Refused(0, 'away', 'No network') }
  if (answer.status >= 500) throw new Refused(answer.status, 'away', 'The bank does not answer')
  let doc = {}
  try { doc = JSON.parse(text) } catch { /* plain words */ }
  if (!answer.ok) throw new Refused(answer.status, doc.code ?? '', doc.detail ?? doc.text ?? doc.message ?? text)
  return doc
}

// picture of a code that the phone shows.
export const picture = async text => {
  const answer = await fetch('qr', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text }) })
  return URL.createObjectURL(await answer.blob())
}
