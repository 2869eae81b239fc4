package wire

import (
	"regexp"
	"strings"

	"golang.org/x/mod/semver"
)

// Program is what our own box calls itself: session.open says Program, a slash and its version. min_app is one of its
// versions.
const Program = "tilld"

// builtAfter is what git describe puts behind a tag: how many commits came after it, and that a file was changed. Semver
// would take it for something before that version.
var builtAfter = regexp.MustCompile(`(-[0-9]+-g[0-9a-f]+)?(-dirty)?$`)

// IsVersion says whether s is written as min_app is: 1.4.0, or 1.4.0-rc.1 (semver.org, without build metadata).
func IsVersion(s string) bool { return semver.IsValid("v"+s) && semver.Canonical("v"+s) == "v"+s }

// TooOld says whether app, as session.open has it, is a Program of a version below least. A build that has no version is
// never too old, because nobody knows what is in it; nor is another's program, whose versions are not ours to compare; and
// nothing is where least is no version.
func TooOld(app, least string) bool {
	name, version, _ := strings.Cut(app, "/")
	version = "v" + strings.TrimPrefix(builtAfter.ReplaceAllString(version, ""), "v")
	return name == Program && IsVersion(least) && semver.IsValid(version) && semver.Compare(version, "v"+least) < 0
}
