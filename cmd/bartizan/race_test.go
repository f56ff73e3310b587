//go:build race

package main

// raceDetector makes what only computes take ten times as long.
const raceDetector = true
