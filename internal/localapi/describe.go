package localapi

import "tilld/internal/httpapi"

const about = "Till software asks this box for money and obeys two lights: hand_over and other_tender. They are never both on. " +
	"Replies may gain fields and enumerations may gain values: whoever meets an unknown state shows say and obeys lights."

var tags = map[string]string{
	"payments": "Ask for money, look at it, confirm, give it back",
	"events":   "What happened, durable and in order",
	"display":  "What the customer sees beside a payment",
	"printing": "Receipts on paper, and the drawer on the printer",
	"totals":   "The evening figure",
	"devices":  "Displays, scanners, printers: how they stand, and whether they work",
	"box":      "Whether the box can sell, and what is wrong",
	"about":    "Probes and this description",
}

// names are the schemas' names, where the Go type is called otherwise.
var names = map[string]string{
	"Public": "Payment", "CreateBody": "NewPayment", "MoneyBody": "Money", "LineBody": "Line", "ConfirmBody": "Confirm",
	"ReceiptBody": "NewReceipt", "ReturnBody": "NewReturn", "ExtendBody": "Extend", "OverrideBody": "NewOverride",
	"AcknowledgeBody": "Acknowledge", "EventBody": "Event", "EventsBody": "Events", "ListReplyBody": "Payments",
	"AvailabilityReplyBody": "AvailabilityByLane", "HealthReplyBody": "Health", "OkReplyBody": "OK",
	"DisplayBody": "CustomerDisplay", "CartBody": "Cart", "MessageBody": "Message", "ChooseBody": "Choose", "ChoiceBody": "Choice",
	"PrintBody": "NewPrintJob", "ReprintBody": "Reprint", "Job": "PrintJob", "Item": "ReceiptItem", "Cell": "ReceiptCell", "PrintListReplyBody": "PrintJobs",
	"DrawerBody": "OpenDrawer", "Drawer": "DrawerOpening", "Blocked": "PrintBlocked",
	"CloseBody": "CloseTotals", "Currency": "TotalsByCurrency", "Provider": "TotalsByProvider", "Figure": "TotalsFigure", "Entry": "TotalsEntry",
	"DevicesReplyBody": "Devices", "BindingsReplyBody": "Bindings", "PortsReplyBody": "Ports", "BindBody": "Bind", "Result": "TestResult",
	"SayCashierStruct": "SayCashier", "SayCustomerStruct": "SayCustomer",
}

// describe puts words to the types of payment/lane, which know nothing of this API.
func describe(a *httpapi.API) {
	a.Describe("Payment", "id", "26 characters of 0-9 a-z")
	a.Describe("Payment", "number", "The four or five digits that everybody reads: on glass, pole, paper and the bank's line")
	a.Describe("Payment", "version", "+1 per change: of two answers the higher is newer")
	a.Describe("Payment", "state", "Public state", "submitted", "open", "paying", "charging", "part_paid", "paid", "confirmed", "closing",
		"expired", "canceled", "refused", "in_doubt", "overridden", "returned", "part_returned")
	a.Describe("Payment", "flags", "What is true besides", "late", "over", "owed", "review", "no_receipt", "parked")
	a.Describe("Payment", "next", "Calls that would be accepted now, likeliest first", "wait", "confirm", "return", "extend", "accept", "park", "override")
	a.Describe("Payment", "mode", "Who shows the code", "show", "scan")
	a.Describe("Payment", "purpose", "What the money is for", "sale", "prepayment")
	a.Describe("Payment", "remaining_ms", "Life left of the code")
	a.Describe("Payment", "qr", "The live code; null when no code may be scanned")
	a.Nullable("Payment", "qr")
	a.Describe("Payment", "doubt_since", "Since when nobody knows")
	a.Describe("Payment", "doubt_why", "Whose silence it is; journal: the box was given an older copy of its own", "link", "bank", "journal")
	a.Describe("Payment", "stamps", "When each step was taken first: asked, shown, paid …")
	a.Describe("Say", "override", "The question to put to a supervisor before override, while next has it")
	a.Describe("Sentence", "why", "The reason in a sentence, where it is the line's or the bank's")
	a.Describe("Lights", "hand_over", "The goods may leave")
	a.Describe("Lights", "other_tender", "Other money may be taken")
	a.Describe("Return", "how", "Which way the money goes back", "cancel", "refund", "undecided")
	a.Describe("Return", "state", "How far it is", "pending", "done", "later", "short", "refused", "person")
	a.Describe("Amount", "value", "Whole minor units")
	a.Describe("Amount", "text", "The same for people: 125.50")
	a.Describe("Availability", "receipt", "How this lane gives a receipt", "paper", "screen", "none")
	a.Describe("Ability", "why", "A code for the reason while ok is false")
	a.Describe("Trouble", "severity", "stop: no payment can be taken; part: something does not work; note: someone should know", "stop", "part", "note")
	a.Describe("PrintJob", "state", "not_printed: certainly no byte of it has left; unknown: a person must look at the paper", "queued", "printing", "printed", "not_printed", "unknown")
	a.Describe("PrintJob", "version", "+1 per change: of two answers the higher is newer")
	a.Describe("PrintJob", "proof", "Of printed: proven: the printer said that it is on paper; accepted: it worked through all of it; blind: a one-way printer took all bytes", "proven", "accepted", "blind")
	a.Describe("PrintJob", "blocked", "Why it is not printed now; null when nothing stands in its way")
	a.Nullable("PrintJob", "blocked")
	a.Describe("PrintBlocked", "why", "What a person should look at", "offline", "paper", "cover", "cutter", "error")
	a.Describe("PrintJob", "why", "Of not_printed and unknown; of printed late: it was unknown, and was proven since", "canceled", "expired", "refused", "no_printer", "restart", "stopped", "line", "late")
	a.Describe("PrintJob", "mark", "The word that is printed above and below", "repeat", "copy")
	a.Describe("PrintJob", "of", "The job that this one prints again")
	a.Describe("PrintJob", "until", "Not begun later than this")
	a.Describe("PrintJob", "sent", "Bytes that have left")
	a.Describe("PrintJob", "detail", "Of refused: what is wrong with it, for the programmer")
	a.Describe("PrintJob", "stamps", "When it was accepted, started, ended")
	a.Describe("DrawerOpening", "state", "opened: the pulse was sent", "asked", "opened", "failed", "in_receipt")
	a.Describe("Totals", "reference", "Of a period that was closed")
	a.Describe("Totals", "lane", "Missing: the whole box")
	a.Describe("Totals", "after", "seq of the last event before the period")
	a.Describe("Totals", "upto", "seq of its last event")
	a.Describe("Totals", "partial", "The events of its beginning are no longer kept")
	a.Describe("TotalsByCurrency", "paid", "Money that came in the period, all of it")
	a.Describe("TotalsByCurrency", "returned", "Money that was given back in the period")
	a.Describe("TotalsByCurrency", "overridden", "Other money was taken instead, in the period")
	a.Describe("TotalsByCurrency", "owed", "To be given back, at its end")
	a.Describe("TotalsByCurrency", "in_doubt", "Nobody knows yet, at its end")
	a.Describe("TotalsByCurrency", "parked", "Set aside and not over, at its end")
	a.Describe("TotalsByCurrency", "no_receipt", "Paid and without a receipt, at its end")
	a.Describe("TotalsByCurrency", "kept", "What came less what went back, or will: periods that follow each other add up")
	a.Describe("Device", "role", "What it is for", "customer-display", "scanner", "receipt-printer", "kiosk")
	a.Describe("Device", "lanes", "That use it")
	a.Describe("Device", "port", "Where it hangs: a line's path, an address")
	a.Describe("Device", "product", "What it is, where the catalog of products knows it")
	a.Describe("Device", "state", "unbound: no device has been given to this role yet; present: it is open, but not in use yet, or has died too often to be trusted yet; away: not there, tried again by itself; refused: a person must do something first", "present", "ready", "away", "refused", "unbound")
	a.Describe("Device", "last_error", "The newest, also when it is over")
	a.Describe("Device", "tests", "Whether it can be tried out")
	a.Describe("Fault", "kind", "What can be done about it", "retry", "needs_person", "not_here")
	a.Describe("Counters", "replugs", "Times that it came back after it had worked")
	a.Describe("Counters", "stalls", "Times that it took no bytes")
	a.Describe("Counters", "unread", "Readings of a scanner that were dropped unread: the magnetic stripe of a card")
	a.Describe("Port", "kind", "", "serial", "usb-printer", "hid", "keyboard", "usb", "network", "network-printer")
	a.Describe("Port", "trouble", "Why this program may not open it")
	a.Describe("Port", "device", "Which of the box's devices is bound to it")
	a.Describe("Port", "unit", "The USB device that it belongs to")
	a.Describe("Binding", "state", "settings: they name the device; unbound: there is none yet; found: it is there; moved: it is there, at another port; absent: it is not; replacement: another of its model is at its port, take it or refuse it; swapped: it sits where its twin belongs, a person must say who is who; unsure: several could be meant", "settings", "unbound", "found", "moved", "absent", "replacement", "swapped", "unsure")
	a.Describe("Binding", "unit", "The device that was bound")
	a.Describe("Binding", "known_by", "What tells it from others of its model", "serial", "port")
	a.Describe("Binding", "how", "How it came to be: alone (it was the only one), evidence (it answered), person (somebody named it)", "alone", "evidence", "person")
	a.Describe("Binding", "since", "The day")
	a.Describe("Binding", "offer", "The replacement, or the device at its twin's port")
	a.Describe("Binding", "candidates", "Those that could be meant")
	a.Describe("Binding", "why", "What is the matter, in words")
	a.Describe("Binding", "do", "What to do about it")
	a.Describe("Binding", "question", "The newest that was asked, also when it is over")
	a.Describe("Question", "state", "asking; heard: one has answered, does another?; taken: it answered and serves another lane, accept or refuse; answered: it is bound; over: nobody answered in time, or several did; canceled", "asking", "heard", "taken", "answered", "over", "canceled")
	a.Describe("Question", "text", "What the person is told to do")
	a.Describe("Question", "note", "Why it is asked again, or over")
	a.Describe("Question", "unit", "The device that answered")
	a.Describe("Question", "unheard", "Devices that could be the one and cannot be opened, or are left alone: they will not answer before that is mended")
	a.Describe("Unheard", "why", "What is in the way, in words")
	a.Describe("Unheard", "do", "What to do about it: a right is missing as a rule, then it has the line of udev")
	a.Describe("Unit", "name", "What it calls itself")
	a.Describe("Unit", "product", "What it is, where the catalog knows it")
	a.Describe("Unit", "model", "Vendor and product")
	a.Describe("Unit", "port", "Where it is plugged in")
	a.Describe("Unit", "call", "How a call names it")
	a.Describe("Port", "holders", "Other programs that have it open, of those that the daemon may see: as a service none of other users")
	a.Describe("TestResult", "ok", "Whether it did what it should, as far as that can be known from here")
	a.Describe("TestResult", "what", "What was done or found, in words")
	a.Describe("TestResult", "do", "What a person should look at, or do")
	a.Describe("TestResult", "proof", "How it is known", "sent", "acknowledged", "seen", "proven", "accepted", "blind")
	a.Describe("TestResult", "kind", "Of a reading")
	a.Describe("TestResult", "masked", "Of a reading, never its whole text")
	a.Describe("Event", "type", "payment.* are those of a payment, data is then the whole payment; others: scan, print.*, device.*, drawer.*, health.*, kiosk.*, availability")
	a.Describe("Event", "data", "The whole resource as it stood: keep the highest version")
}
