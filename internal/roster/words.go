package roster

import (
	"errors"
	"strings"
	"time"

	"tilld/devices"
	"tilld/internal/health"
)

// Kiosk is the role of a customer's page: it hangs on no line, a browser brings it.
const Kiosk = "kiosk"

// pageAfter is how long a page may be away: a browser that starts with the machine takes its time.
const pageAfter = 30 * time.Second

// settle is how long a device may be away before anybody is told: a replug, or a hub that takes a breath, is no news.
const settle = 3 * time.Second

// names of the roles, as people say them.
func name(e Entry) string {
	out := map[string]string{
		"customer-display": "customer display", "scanner": "scanner", "receipt-printer": "receipt printer", "kiosk": "customer's page",
	}[e.Role]
	if out == "" {
		out = e.Role
	}
	switch len(e.Lanes) {
	case 0:
		return out
	case 1:
		return out + " of lane " + e.Lanes[0]
	}
	return out + " of lanes " + strings.Join(e.Lanes, ", ")
}

// trouble puts what is wrong with the device into words; was is how it stood before.
func (m *Member) trouble(err error, was devices.State) health.Trouble {
	t := health.Trouble{
		Code: "device", Subject: m.entry.ID, Severity: health.Part, After: settle,
		Sentence: "The " + name(m.entry) + " does not work.", Remedy: remedy(m.entry, err),
	}
	if m.entry.Role == Kiosk {
		t.After = pageAfter
	}
	said, bad := new(Said), new(devices.BadOption)
	switch {
	case errors.As(err, &said):
		t.Code, t.Sentence = said.Code, said.Sentence
	case errors.As(err, &bad):
		t.Sentence = "The " + name(m.entry) + " cannot be used: its option " + bad.Key + " " + bad.Text + "."
	case errors.Is(err, devices.ErrPerson):
		t.Sentence = behind("The "+name(m.entry)+" cannot be opened.", err)
	case errors.Is(err, devices.ErrAbsent) && was == devices.Present && m.entry.Role != Kiosk: // it was back, and did not hold
		t.Sentence, t.Remedy = "The "+name(m.entry)+" comes and goes.", holdIt
	case errors.Is(err, devices.ErrAbsent):
		t.Sentence = behind("The "+name(m.entry)+" is not there.", err)
	case errors.Is(err, devices.ErrStalled):
		t.Sentence = "The " + name(m.entry) + " takes no data."
	default:
		t.Sentence = behind(t.Sentence, err)
	}
	return t
}

// remedy is what a person should do about an error.
func remedy(e Entry, err error) string {
	if e.Role == Kiosk {
		return "Start the browser of that screen; it opens " + e.Port + " of this box."
	}
	return Remedy(e.Port, err)
}

// Remedy is what a person should do about an error of the device at a port: what is known to be behind it decides, else
// its sort.
func Remedy(port string, err error) string {
	text, said, cause, bad := err.Error(), new(Said), new(Cause), new(devices.BadOption)
	switch {
	case errors.As(err, &said):
		return said.Remedy
	case errors.As(err, &cause):
		return cause.Do
	case errors.As(err, &bad):
		return putRight(bad)
	case errors.Is(err, devices.ErrHeld):
		return "End the program that holds " + port + ": as root, fuser -v names it; last_error has the file."
	case errors.Is(err, devices.ErrPerson) && strings.Contains(text, "permission denied") && (strings.Contains(text, "/dev/hidraw") || strings.Contains(text, "/dev/input/")):
		// Their groups are no remedy: root, and input, which reads every keyboard.
		return "Add a line for its model to /etc/udev/rules.d/61-till.rules, as 60-tilld.rules has them, then udevadm control --reload && udevadm trigger."
	case errors.Is(err, devices.ErrPerson) && strings.Contains(text, "permission denied"):
		return "Let the daemon's user use " + port + ": put it into the group that owns the line (ls -l " + port + ")."
	case errors.Is(err, devices.ErrPerson) && strings.Contains(text, "operation not permitted"):
		// Its file's rights would say "permission denied": it is the unit, which knows the kinds of its start.
		return "Start the daemon again (systemctl restart tilld): it was started before the kernel knew this kind of device."
	case errors.Is(err, devices.ErrPerson):
		return "Correct its settings: see last_error, or the log."
	case errors.Is(err, devices.ErrAbsent):
		return "Plug it in and switch it on, or correct its port in the settings."
	case errors.Is(err, devices.ErrStalled):
		return "Switch it off and on; look at the flow control of its line."
	}
	return "Look at its cable and power; it is tried again by itself."
}

// putRight is what to do about an option that a driver does not take.
func putRight(bad *devices.BadOption) string {
	out := "Correct it where tilld check says"
	if say := bad.Say(); say != "" {
		out += " (" + say + ")"
	}
	return out + ", then start the daemon again."
}

// holdIt is what to do about a device that comes and goes.
const holdIt = "Look at its plug and its cable, then at the hub and the power that it hangs on; try another port of the machine."
