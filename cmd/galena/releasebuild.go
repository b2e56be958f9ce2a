//go:build !drill

package main

// further are the settings of this build alone: a release has none.
func further() []string { return nil }

// spoil leaves everything as it is: only a build for the drill breaks itself.
func spoil(*settings) {}
