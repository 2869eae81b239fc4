// Package bank is the sandbox bank: a whole bank on its own HTTP server, for demonstrations and tests. It knows nothing
// of the integrator but the merchant's call-back address, and its money is not money.
//
// # Merchant's API
//
// Every request is signed, and so is every answer that is one (see Header): an answer without a good signature says
// nothing about what happened. Ids are the merchant's; a call that is repeated with the same body does nothing new, with
// another body it gets 409 key_reused.
//
//	PUT  /v1/orders/{id}               {amount, expires_at, number, payee}        an order with a payload to show
//	PUT  /v1/orders/{id}/charge        {amount, expires_at, number, payee, code}  a charge of a customer's code
//	GET  /v1/orders/{id}                                                          what is; 404 absent
//	POST /v1/orders/{id}/kill          {amount}                                   ends it where nobody has paid
//	PUT  /v1/orders/{id}/returns/{rid} {amount, method, txn}                      cancel or refund
//
// Each answers the order: {id, mode, amount, state, payload, expires_at, credits, returns, decline} with state pending,
// paying, paid or dead. Definite refusals are 422 (bad_body, bad_id, refused; amount_limit of an
// order, with the most that is taken; too_old of a return) and 409 (key_reused); 429 busy is a no for now. A kill of an order that never came makes it dead for ever. A cancel undoes one whole payment on the day that it
// was made, in the bank's zone; a refund gives back any part of one at any time, unless Config.Returns says until when.
//
// A call-back is POST {order, state, at} to Config.Callback, signed, sent up to five times until it gets 200. It may be
// late, lost, repeated and overtaken, and proves nothing.
//
// # Wallet's API
//
// For this machine alone, without a token:
//
//	POST /wallet/pay      {payload, amount?, force?}  pays; force pays what is dead or paid already
//	POST /wallet/code     {confirm?}                  {code, expires_at}: single use; confirm asks the payer first
//	POST /wallet/view     {payload | code}            what the payer's phone shows
//	POST /wallet/begin    {payload}                   the payer has opened it: "somebody is confirming"
//	POST /wallet/confirm  {payload | code, amount?}   yes
//	POST /wallet/refuse   {payload | code}            no: the code lives on, a charge is declined
//	POST /bad-day/pause   {for?}                      every other request gets 503 for so long; "0s" ends it
//
// An amount is {"value":…,"currency":…} or the minor units alone; without one it is what is left to pay.
//
// # Magic amounts
//
// The last two digits of an order's minor units choose what happens. "Pays" is /wallet/pay in show mode and the charge
// itself in scan mode. The times are defaults of Times.
//
//	01  declined once       show: pays → confirming 3 s → unpaid, not_enough; the next one pays.
//	                        scan: the first charge is declined, retry; the next code of the same sale is taken.
//	02  declined for good   show: pays → confirming 3 s → dead; by itself 8 s after it was made when nobody tries.
//	                        scan: declined, no retry.
//	03  late money          no act of the wallet is needed: the first kill gets no answer, 6 s after it (or after the
//	                        order's own expiry) the money is there. A wallet that pays before is told "on its way".
//	04  paid in cancel      the money comes while the kill is being done, whose answer says paid. A wallet that pays
//	                        before is told "on its way". Scan: "confirming" until the kill.
//	05  paid twice          pays → two payments, the second 1 s after the first; "confirming" between them.
//	06  unknown, then paid  pays, or is killed → nothing is answered for 75 s, then paid at the moment it began.
//	07  unknown, then dead  pays, or is killed → nothing is answered for 75 s, then dead.
//	08  slow                create and charge are answered after 12 s. Until then the order is absent to a look and no
//	                        call-back tells of it; a kill finds it, and shows it from then on.
//	09  two parts           pays → half, and the rest 2 s later.
//	10  return refused      pays as usual; every return is refused.
//	11  account short       pays as usual; returns are "short" for 1 min from the first one asked for.
//	12  confirming          pays → confirming for 40 s, then paid; a kill meanwhile answers paying.
//	13  no code             the order, or the charge, is refused: nothing happened.
//
// What is not answered is held for 10 s and then gets an unsigned 504. Where Evil is set, an order whose amount has no
// magic may draw one of these acts, and call-backs and answers go wrong besides.
//
// No pay code is written anywhere: the bank holds a hash in memory until the code is old, and a restart forgets it.
package bank
