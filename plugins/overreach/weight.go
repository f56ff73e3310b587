package overreach

import "math/bits"

// ofWeight are the signs by weight: how seldom they stand in the documentation of real
// servers. Orders and carrying data are what documentation is about, and count
// once beside another sign; pretexts are given for honest things as well.
var ofWeight = [...]Signs{
	3: 1<<Disregard | 1<<Conceal | 1<<Errand,
	2: 1<<AnyTool | 1<<Tamper | 1<<Quiet | 1<<SecretFile | 1<<Address | 1<<Context,
	1: 1<<Chained | 1<<Secret | 1<<Threat | 1<<AlwaysOn,
}

// Weight is how far the signs together are from documentation: 3 and more is
// what that of real servers hardly ever reaches in one sentence.
func (s Signs) Weight() int {
	if s == 0 {
		return 0
	}
	sum := 0
	for w, some := range ofWeight {
		sum += w * bits.OnesCount32(uint32(s&some))
	}
	if s.Has(Foreign) && !(sum == 1 && s.Has(Chained)) {
		sum++ // to name the tool that is to be called is to name it
	}
	if s.Has(Pretext) && sum > 0 && (sum > 1 || !s.Has(Chained)) {
		sum++
	}
	if sum >= 2 && s.Any(Order, Carry) {
		sum++
	}
	return sum
}
