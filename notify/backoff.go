package notify

import "time"

// MaxTries is how often an endpoint is tried before a delivery is given up.
const MaxTries = 10

// jitter is the share by which a wait may be shorter or longer, so that a
// receiver that comes back is not met by everybody at once.
const jitter = 0.22

// Backoff is how long to wait before the try after the given number of tries
// made: at once for the first, and less than 15 minutes at most, so that an
// outage is made good within a quarter of an hour. Even the shortest waits add up
// to more than an hour: a receiver may be down for as long and miss nothing.
// chance is from 0 to 1.
func Backoff(tries int, chance float64) time.Duration {
	waits := []time.Duration{0, 5 * time.Second, 30 * time.Second, 5 * time.Minute, 12 * time.Minute}
	wait := waits[min(max(tries, 0), len(waits)-1)]
	return time.Duration(float64(wait) * (1 - jitter + 2*jitter*min(max(chance, 0), 1)))
}
