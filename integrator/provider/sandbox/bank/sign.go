package bank

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// Header carries the signature of a request, an answer or a call-back: lower-case hex of HMAC-SHA256 over
//
//	request    "request" LF method LF path LF body
//	answer     "answer" LF signature of its request LF status LF body
//	call-back  "callback" LF body
//
// so an answer belongs to one request. A replayed request repeats what it did, which is nothing new: every call has its
// id in the path.
const Header = "Sandbox-Signature"

func sign(key []byte, parts ...string) string {
	m := hmac.New(sha256.New, key)
	for i, p := range parts {
		if i > 0 {
			_, _ = m.Write([]byte{'\n'}) // a hash never fails
		}
		_, _ = m.Write([]byte(p))
	}
	return hex.EncodeToString(m.Sum(nil))
}

func signRequest(key []byte, method, path string, body []byte) string {
	return sign(key, "request", method, path, string(body))
}

func signAnswer(key []byte, request string, status int, body []byte) string {
	return sign(key, "answer", request, strconv.Itoa(status), string(body))
}

func signCallback(key, body []byte) string { return sign(key, "callback", string(body)) }

func signed(want, got string) bool { return hmac.Equal([]byte(want), []byte(got)) }
