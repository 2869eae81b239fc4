// The customer's screen: the box's own page in a frame. It is loaded when the box first answers, and by itself after that.
import { $ } from './dom.js'

export const openKiosk = (till, lane) => {
  const frame = $('#kiosk iframe')
  let loaded = false
  const load = async () => {
    try {
      await till.get('/v1/availability')
      frame.src = `${till.url}/kiosk/${lane}/`
      loaded = true
    } catch { setTimeout(load, 500) }
  }
  load()
  return () => { $('#kiosk').dataset.loaded = loaded }
}
