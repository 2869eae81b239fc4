package qr

var Drawn = drawn
