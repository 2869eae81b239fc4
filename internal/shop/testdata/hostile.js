// What a page that the shop never allowed can do to a box that listens on its visitor's own machine. It knows everything:
// addresses, the shop's token, a payment's id. box and demo are where it sends things, "" its own origin. Each try tells
// what came of it and, in code, the reason with which the box must have turned it away; "" where the box is not asked.
(async (box, demo, payment) => {
  box ||= location.origin;
  const tries = [], limit = 20000;
  const note = (what, code, got) => tries.push({what, code, got});
  const late = (f) => Promise.race([f, new Promise((done) => setTimeout(done, limit, "HUNG"))]);
  const ask = async (what, code, url, o = {}) => {
    const got = fetch(url, o).then((r) => r.type === "opaque" ? "opaque" : r.ok ? "REACHED" : String(r.status), () => "refused");
    note(what, code, await late(got));
  };
  const post = (body, o = {}) => ({method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}, body: JSON.stringify(body), ...o});
  const sale = {reference: "E-1", purpose: "sale", mode: "show", amount: {value: 100, currency: "RUB"}};
  const token = {Authorization: "Bearer demo"};

  // Reading. A GET without cors bears no Origin: what keeps it out is that it has no token.
  await ask("read events", "origin_refused", box + "/v1/events");
  await ask("read events with the token", "origin_refused", box + "/v1/events", {headers: token});
  await ask("read payments blindly", "unauthorized", box + "/v1/payments", {mode: "no-cors"});
  await ask("load a part of the customer's page", "forbidden", box + "/kiosk/1/main.js", {mode: "no-cors"});

  // Doing, as a page may without asking first, and as it may not.
  await ask("sell blindly", "origin_refused", box + "/v1/payments", post(sale));
  await ask("sell with the token", "origin_refused", box + "/v1/payments", {method: "POST", headers: {...token, "Content-Type": "application/json"}, body: JSON.stringify(sale)});
  await ask("sell under the other name", "origin_refused", box.replace("127.0.0.1", "localhost") + "/v1/payments", post(sale));
  await ask("confirm", "origin_refused", box + "/v1/payments/" + payment + "/confirm", post({}));
  await ask("return", "origin_refused", box + "/v1/payments/" + payment + "/return", post({reference: "E-2"}));
  await ask("print", "origin_refused", box + "/v1/print-jobs", post({reference: "E-3", receipt: [{text: "evil"}]}));
  await ask("open the drawer", "origin_refused", box + "/v1/drawer/open", post({reason: "evil"}));
  await ask("change the glass", "origin_refused", box + "/v1/customer-display", {method: "PUT", headers: token, body: "{}"});
  await ask("test a device", "origin_refused", box + "/v1/devices/front/test", post({}));

  // A form, which needs no script; and one that hides where it comes from.
  for (const rel of ["", "noreferrer"]) { // the second sends Origin: null
    const into = Object.assign(document.createElement("iframe"), {name: "into" + rel});
    const form = Object.assign(document.createElement("form"), {method: "post", enctype: "text/plain", action: box + "/v1/payments", target: into.name, rel});
    form.append(Object.assign(document.createElement("input"), {name: JSON.stringify(sale).slice(0, -1) + ',"note":"', value: '"}'}));
    document.body.append(into, form);
    const loaded = new Promise((done) => { into.onload = () => done("sent"); });
    form.submit();
    note("a form", "origin_refused", await late(loaded));
  }

  // Sockets: no browser asks before it opens one.
  for (const [what, path, words] of [
    ["the stream with the token", "/v1/events", ["tilld.v1", "bearer.demo"]],
    ["the stream with a guess", "/v1/events", ["tilld.v1", "bearer.1234"]],
    ["the stream", "/v1/events", ["tilld.v1"]],
    ["the customer's feed", "/kiosk/1/feed", ["tilld.kiosk.v1"]],
  ]) {
    const s = new WebSocket(box.replace("http", "ws") + path, words);
    note(what, "origin_refused", await late(new Promise((done) => { s.onopen = () => done("REACHED"); s.onerror = () => done("refused"); })));
    s.close();
  }

  // The demo's outside world takes no token at all.
  if (demo) {
    await ask("scan", "", demo + "/scan", post({text: "4006381333931"}));
    await ask("take the paper", "", demo + "/world/printer", post({state: "no_paper"}));
    await ask("read the token", "", demo + "/world");
  }

  // Framing, for a click that its visitor does not mean. They stay, to be looked at.
  for (const url of [box + "/kiosk/1/", demo && demo + "/"].filter(Boolean)) {
    const frame = Object.assign(document.createElement("iframe"), {src: url});
    const loaded = new Promise((done) => { frame.onload = () => done("loaded"); });
    document.body.append(frame);
    note("frame " + url, "", await late(loaded));
  }
  return tries;
})
