package kiosk

// Paperless says whether a receipt that should come on paper would not come now; it would until Paperless says otherwise. A
// self-service page tells a customer before he pays, and not any more once he has; with a cashier it is hers to say. It does
// not block.
func (k *Kiosk) Paperless(is bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.paperless == is {
		return
	}
	k.paperless = is
	if k.now == nil || !k.warns() {
		return
	}
	for p := range k.pages {
		k.send(p, fresh) // the same screen once more, as with Able
	}
}

// warns says whether the screen that stands is one on which a customer may still pay elsewhere; k.mu is held.
func (k *Kiosk) warns() bool {
	if k.cfg.Attended {
		return false
	}
	switch k.now.frame.Kind {
	case "idle", kindCart, "choose", "preparing", "preparing_slow", "preparing_changed", "code", "code_ending", "code_ending_cashier",
		"paper", "scan", "scan_wrong", "scan_shop", "scan_old", "declined", "part_paid":
		return true
	}
	return false
}
