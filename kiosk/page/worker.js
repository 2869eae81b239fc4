// The page in the browser's own cache, so that a screen whose daemon is gone can still say so after it was switched off
// and on. The daemon's answer comes first whenever there is one.

const CACHE = "kiosk";
const PATIENCE = 2000; // ms for the daemon to answer before the cached page stands in

self.addEventListener("install", (e) => { self.skipWaiting(); e.waitUntil(fill()); });
self.addEventListener("activate", (e) => e.waitUntil(self.clients.claim()));

async function fill() {
  const cache = await caches.open(CACHE + self.registration.scope);
  const page = await fetch("./", { cache: "no-store" });
  const boot = /data-boot="([^"]*)"/.exec(await page.clone().text())[1].replaceAll("&#34;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&#43;", "+").replaceAll("&amp;", "&");
  await cache.put("./", page);
  await cache.addAll(JSON.parse(boot).files);
}

self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || !url.href.startsWith(self.registration.scope) || url.pathname.endsWith("/feed")) return;
  e.respondWith(answer(e.request));
});

async function answer(request) {
  const cache = await caches.open(CACHE + self.registration.scope);
  try {
    const fresh = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (fresh.ok) cache.put(request, fresh.clone());
    return fresh;
  } catch {
    return (await cache.match(request)) ?? Response.error();
  }
}
