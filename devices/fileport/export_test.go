package fileport

var Undisturbed = undisturbed
