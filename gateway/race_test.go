//go:build race

package gateway

// raceDetector makes long tests shorter.
const raceDetector = true
