package notify

import (
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

func TestWithoutPersonalDataNoEventTellsAnIDThatIsTheEmail(t *testing.T) {
	t.Parallel()
	l, _, _ := routedExample()
	l.ExternalID = l.Email
	held, err := Quarantined(l, false)
	if err != nil || strings.Contains(string(held), l.Email) {
		t.Errorf("quarantined: %s %v", held, err)
	}
	late, err := Breached(l, galena.ClockTouch, "ana", "ben", "", false)
	if err != nil || strings.Contains(string(late), l.Email) {
		t.Errorf("breached: %s %v", late, err)
	}
}
