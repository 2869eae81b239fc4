package localapi_test

import (
	"testing"

	"tilld/internal/planted"
)

// oneByOne is a bug to plant. The programs have it too where they are built for that, see internal/failpoint.
const oneByOne = "a subscriber that reads nothing holds up the others"

// TestStallFindsAPlantedBug runs TestOneOfFiftySubscribersStalls over an API whose lines write in turn.
func TestStallFindsAPlantedBug(t *testing.T) {
	t.Parallel()
	planted.Find(t, oneByOne, "TestOneOfFiftySubscribersStalls$", "reader .* late")
}
