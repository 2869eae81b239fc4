package httpapi

import (
	"net/http"
	"slices"

	"tilld/payment/lane"
)

// Codes of what may be wrong with a request, whatever it asks for. They are stable: programs may switch on them.
const (
	BadJSON          = "bad_json"
	TooDeep          = "too_deep"
	DuplicateField   = "duplicate_field"
	UnknownField     = "unknown_field"
	MissingField     = "missing_field"
	InvalidField     = "invalid_field"
	AmountFormat     = "amount_format"
	BadParameter     = "bad_parameter"
	UnknownParameter = "unknown_parameter"
	Unauthorized     = "unauthorized"
	Forbidden        = "forbidden"
	OriginRefused    = "origin_refused"
	HostRefused      = "host_refused"
	NoRoute          = "no_route"
	MethodNotAllowed = "method_not_allowed"
	BodyTooLarge     = "body_too_large"
	MediaType        = "media_type"
	SlowBody         = "slow_body"
	Busy             = "busy"
	Stopping         = "stopping"
	Internal         = "internal"
)

// Codes of the box's API that are not refusals of the payment's table (those are named in payment/lane).
const (
	LaneNeeded     = "lane_needed"
	EventsTrimmed  = "events_trimmed"
	NoTotals       = "no_totals"
	NoDevice       = "no_device"
	NoTest         = "no_test"
	DeviceAway     = "device_away"
	DeviceBusy     = "device_busy"
	NoRole         = "no_role"
	PortFixed      = "port_fixed"
	NotPluggedIn   = "not_plugged_in"
	UnfitDevice    = "unfit_device"
	DeviceTaken    = "device_taken"
	NoOffer        = "no_offer"
	NoNumber       = "no_number"
	BindingsUnkept = "bindings_unkept"
	NotReady       = "not_ready"
	StorageStopped = "storage_stopped"

	PrinterUnavailable = "printer_unavailable"
	JobState           = "job_state"
)

// Code is one entry of the list: what a stable code means and what to do about it.
type Code struct {
	Code   string
	Status int
	Title  string // what is the matter, the same at every occurrence
	Do     string // what the caller's programmer, or the person at the till, should do next
}

// General lists the codes that any request to any of our APIs may meet.
func General() []Code { return slices.Clone(general) }

// Till lists the codes of the box's own API.
func Till() []Code { return slices.Clone(till) }

var general = []Code{
	{BadJSON, http.StatusBadRequest, "The body is not one JSON object", "Send one JSON object in UTF-8 and nothing after it."},
	{TooDeep, http.StatusBadRequest, "The body is nested too deeply", "Send the object as the description of the API shows it."},
	{DuplicateField, http.StatusUnprocessableEntity, "A field stands twice in one object", "Send each field once."},
	{UnknownField, http.StatusUnprocessableEntity, "The body has a field that this call does not know", "Check the spelling; upper and lower case count."},
	{MissingField, http.StatusUnprocessableEntity, "A field that this call needs is missing", "Send the field that is named."},
	{InvalidField, http.StatusUnprocessableEntity, "A field has a value that is not allowed", "Send the field that is named as /openapi.json describes it; detail says what was expected."},
	{AmountFormat, http.StatusUnprocessableEntity, "An amount is not a whole number of minor units, or out of range", "Send whole kopecks or cents as a plain number, without fraction, exponent or quotation marks."},
	{BadParameter, http.StatusUnprocessableEntity, "A parameter of the address has a value that is not allowed", "Send the parameter that is named once, as /openapi.json describes it."},
	{UnknownParameter, http.StatusUnprocessableEntity, "The address has a parameter that this call does not know", "Check the spelling; never put a token into an address."},
	{Unauthorized, http.StatusUnauthorized, "The caller is not known", "Send Authorization: Bearer and a token of this box, or use its socket as a user whom it knows."},
	{Forbidden, http.StatusForbidden, "The caller's role does not allow this call", "Use a token with the role that this call needs."},
	{OriginRefused, http.StatusForbidden, "The page's origin is not on the list", "Add the exact origin to the configuration if the page is the shop's own."},
	{HostRefused, http.StatusMisdirectedRequest, "The Host of the request is not on the list", "Use the address that the box listens on, or add the exact name to the configuration."},
	{NoRoute, http.StatusNotFound, "There is no such address", "Look the address up in /openapi.json."},
	{MethodNotAllowed, http.StatusMethodNotAllowed, "This address does not take this method", "Use a method of the Allow header."},
	{BodyTooLarge, http.StatusRequestEntityTooLarge, "The body is too large", "Send a smaller body."},
	{MediaType, http.StatusUnsupportedMediaType, "The body is not announced as JSON", "Send Content-Type: application/json."},
	{SlowBody, http.StatusRequestTimeout, "The body did not arrive in time", "Send the request again."},
	{Busy, http.StatusServiceUnavailable, "Too many callers are waiting", "Try again in a second; end waits that nobody reads."},
	{Stopping, http.StatusServiceUnavailable, "The program is stopping", "Try again when it runs again."},
	{Internal, http.StatusInternalServerError, "Something went wrong inside", "Give the last part of instance to support: the log has the rest."},
}

var till = []Code{
	{lane.NoNotFound, http.StatusNotFound, "There is no such payment or print job", "Check the id (a payment's number is found with ?number=); a token sees what belongs to its own lane alone."},
	{lane.NoLane, http.StatusNotFound, "There is no such lane", "Use a lane of this box that the token belongs to."},
	{LaneNeeded, http.StatusUnprocessableEntity, "The lane is not named and the token belongs to none", "Name the lane, or use the token of a lane."},
	{lane.NoKeyReused, http.StatusConflict, "This reference was used for something else", "Use a new reference for a new sale, return or print job; the same body again gets the first one as it stands."},
	{lane.NoLaneBusy, http.StatusConflict, "Another payment occupies the lane", "Finish the payment that is shown first, or replace it."},
	{lane.NoReplacedWasPaid, http.StatusConflict, "The payment to be replaced has been paid", "Obey that payment's lights; ask for the rest with adds_to."},
	{lane.NoOverridden, http.StatusConflict, "A supervisor has taken other money for this payment", "Nothing more to do: money that still comes goes back by itself."},
	{lane.NoUnavailable, http.StatusServiceUnavailable, "No payment can be taken now", "Offer card or cash; why says the reason, /v1/availability when it is over."},
	{lane.NoNotPaid, http.StatusConflict, "The payment is not paid", "Do not hand over; wait for lights.hand_over."},
	{lane.NoReturned, http.StatusConflict, "The money was given back before the goods were confirmed", "Do not hand over; start a new payment."},
	{lane.NoAlreadyConfirmed, http.StatusConflict, "The payment was confirmed with another amount", "Return the difference instead."},
	{lane.NoConfirmFirst, http.StatusConflict, "A part can be returned only after the confirmation", "Confirm with the lower final_amount instead."},
	{lane.NoUseReturn, http.StatusUnprocessableEntity, "Nothing of the amount would be kept", "Call return instead."},
	{lane.NoFinalExceedsPaid, http.StatusUnprocessableEntity, "The final amount is more than was paid", "Confirm what was paid; ask for the rest with a new payment."},
	{lane.NoExceedsKept, http.StatusUnprocessableEntity, "More is to be returned than is left", "Return at most what is left of the payment, in its currency."},
	{lane.NoTooManyReturns, http.StatusConflict, "The payment has had as many returns as one may have", "Give the rest back another way; a till that gets here makes a new reference where it should repeat the old one."},
	{lane.NoCannotExtend, http.StatusConflict, "The code cannot live longer", "Let it end, then ask for a new payment; why says the reason."},
	{lane.NoNotInDoubt, http.StatusConflict, "The payment is not in doubt", "Obey its lights; an override is for doubt alone."},
	{lane.NoWrongState, http.StatusConflict, "The payment does not take this call now", "Look at state and next of the payment in this answer; before it is paid, return takes no amount."},
	{lane.NoCodeNotLive, http.StatusGone, "There is no live code to show", "Take the picture away; nobody must scan it any more."},
	{PrinterUnavailable, http.StatusServiceUnavailable, "The printer or its drawer cannot be used now", "why says the reason: no_printer (this lane has none, or not the one that was named), no_drawer, offline, line (it may have opened or not: look at it), paper, cover, cutter or error (the printer takes nothing, the drawer stays shut), queue_full, journal; /v1/health says what to do about it."},
	{JobState, http.StatusConflict, "The print job does not take this call now", "Look at its state: one that has ended cannot be taken back, and one that has not cannot be printed again. With why not_kept it ended so long ago that what it printed is gone: print it anew."},
	{EventsTrimmed, http.StatusGone, "The events asked for are not kept", "Read GET /v1/payments without a filter, which is every payment that is not over, then ask with after one below oldest."},
	{NoTotals, http.StatusNotFound, "No period was closed under this reference", "Use the reference under which it was closed; without one you get what is open."},
	{NoDevice, http.StatusNotFound, "There is no such device", "Use an id of /v1/devices."},
	{NoTest, http.StatusConflict, "This device cannot be tried out", "Only those with tests true can; a printer needs a lane that prints on it."},
	{DeviceAway, http.StatusConflict, "The device is not ready", "See its last_error in /v1/devices for what to do."},
	{DeviceBusy, http.StatusConflict, "The device is in use", "Wait until no payment has the lane and no other test runs."},
	{NoRole, http.StatusNotFound, "This lane has no device in that role", "Use a lane and a role of /v1/bindings; what is not there has to be named in the settings first, with port: {bound: true}."},
	{PortFixed, http.StatusConflict, "The settings name the device of this role", "Write port: {bound: true} in its place and restart, then bind it."},
	{NotPluggedIn, http.StatusConflict, "No device that is plugged in is meant, or more than one", "Plug it in and switch it on, and name it as /v1/ports does: by its unit's call, or by its file below /dev."},
	{UnfitDevice, http.StatusConflict, "The device cannot serve this role", "Bind another, or name its driver in the settings."},
	{DeviceTaken, http.StatusConflict, "The device serves another role already", "See /v1/bindings for whose it is; with take it is given away, where a lane has it in the same role."},
	{NoOffer, http.StatusConflict, "There is nothing to accept or refuse", "See /v1/bindings: a device is offered in the states replacement and swapped, or by a question in the state taken."},
	{NoNumber, http.StatusConflict, "No display was told to show this number", "Ask first, then say the number that stands on the glass; it is one of question.numbers."},
	{BindingsUnkept, http.StatusServiceUnavailable, "The bindings cannot be read or written now", "Nothing was changed. See /v1/health for what to do about bindings.yaml."},
	{NotReady, http.StatusServiceUnavailable, "No lane can take a payment now", "See /v1/availability and /v1/health for the reason."},
	{StorageStopped, http.StatusServiceUnavailable, "The journal stopped after a failed write", "Nothing was promised. The program ends and is started again; check the disk if this comes back."},
}

// find answers the entry of a code, and the entry of Internal for one that is not in the list.
func find(code string) Code {
	for _, list := range [][]Code{general, till} {
		for _, c := range list {
			if c.Code == code {
				return c
			}
		}
	}
	return general[len(general)-1]
}
