// The page put together: it asks its own server where the shop is, then every part looks after itself.
import { $, sleep } from './dom.js'
import { Till } from './api.js'
import { store } from './store.js'
import { openSale } from './sale.js'
import { openTill } from './till.js'
import { openKiosk } from './kiosk.js'
import { openPole } from './pole.js'
import { openPaper } from './paper.js'
import { openPhone } from './phone.js'
import { openWorld } from './world.js'
import { openScanner } from './scanner.js'
import { openEvents } from './events.js'

const look = async () => (await fetch('world')).json()

const first = async () => {
  for (;;) {
    try { return await look() } catch { await sleep(500) }
  }
}

const { shop, world, paper } = await first()
const till = new Till(shop.tilld, shop.token)
$('#api-link').href = `${shop.tilld}/openapi.json`

const parts = [openWorld(), openPaper(), openKiosk(till, shop.lane), openPole()]
const show = now => { for (const p of parts) p(now) }
openSale(till, shop.lane)
openTill(till)
openPhone(till, () => latest.paper)
openScanner()
openEvents(till, e => { if (e.type.startsWith('payment.')) store.take(e.data) })

let latest = { world, paper }
for (;;) {
  show(latest)
  await sleep(350)
  try { latest = await look() } catch { latest = { ...latest, gone: true } }
}
