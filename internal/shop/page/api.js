// The box's public API, as any till in a browser would use it: a token, JSON, and the stream of events.

// Problem is an answer that is no.
export class Problem extends Error {
  constructor(status, doc) {
    super(doc.title ?? 'tilld does not answer')
    this.status = status
    this.code = doc.code ?? ''
    this.help = doc.do ?? 'It is stopped or being started. The page tries again by itself.'
    this.why = doc.why ?? ''
    this.doc = doc
  }
}

export class Till {
  constructor(url, token) { Object.assign(this, { url, token }) }

  async call(method, path, body, signal) {
    const headers = { authorization: `Bearer ${this.token}` }
    if (body) headers['content-type'] = 'application/json'
    let answer, doc
    try {
      answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body), signal })
      doc = await answer.json()
    } catch (e) {
      if (signal?.aborted) throw e
      throw new Problem(0, {}) // no answer, or half of one
    }
    if (!answer.ok) throw new Problem(answer.status, doc)
    return doc
  }

  get(path, signal) { return this.call('GET', path, undefined, signal) }
  post(path, body = {}) { return this.call('POST', path, body) }

  // picture of a live code, as an address for an img; null when there is none any more.
  async picture(id) {
    try {
      const answer = await fetch(`${this.url}/v1/payments/${id}/qr.svg`, { headers: { authorization: `Bearer ${this.token}` } })
      return answer.ok ? URL.createObjectURL(await answer.blob()) : null
    } catch { return null }
  }

  // events hands on each event once, in order, for ever: after a break it goes on behind the last one.
  events(each, live) {
    let after = -1
    const open = () => {
      const socket = new WebSocket(`${this.url.replace('http', 'ws')}/v1/events${after < 0 ? '' : `?after=${after}`}`, ['tilld.v1', `bearer.${this.token}`])
      socket.onopen = () => live(true)
      socket.onmessage = m => {
        const e = JSON.parse(m.data)
        after = e.seq
        each(e)
      }
      socket.onclose = c => {
        live(false)
        if (c.code === 4410) after = -1 // a new journal has begun
        setTimeout(open, 1000)
      }
    }
    open()
  }
}
