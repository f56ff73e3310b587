package overreach

// weights of the signs: how seldom they stand in the documentation of real
// servers. Orders and carrying data are what documentation is about, and count
// once beside another sign; pretexts are given for honest things as well.
var weights = [...]struct {
	sign   Sign
	weight int
}{
	{Disregard, 3}, {Conceal, 3}, {Errand, 3},
	{AnyTool, 2}, {Tamper, 2}, {Quiet, 2}, {SecretFile, 2}, {Address, 2}, {Context, 2},
	{Chained, 1}, {Secret, 1}, {Threat, 1}, {AlwaysOn, 1},
}

// Weight is how far the signs together are from documentation: 3 and more is
// what that of real servers hardly ever reaches in one sentence.
func (s Signs) Weight() int {
	sum := 0
	for _, w := range weights {
		if s.Has(w.sign) {
			sum += w.weight
		}
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
