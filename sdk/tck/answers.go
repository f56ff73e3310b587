package tck

import "github.com/bartizan-mcp/bartizan/engine"

// answers has a scanner say more than it may, by default and by the input's own
// limits.
func (k *kit) answers() {
	for _, p := range k.manifest.Phases {
		seeds := k.seeds()
		var texts []string
		weight := 0
		for i := 0; len(texts) < 3*engine.DefaultLimits.Findings; i++ {
			seed := seeds[i%len(seeds)]
			if weight += len(seed) + 2*segmentCost; weight > callSize(string(p)) {
				break
			}
			texts = append(texts, seed)
		}
		in := usual(string(p), texts...)
		a, ok := k.try("limits.findings", decimal(len(texts))+" planted texts", in, k.encode(in))
		if !ok {
			return
		}
		k.restricted(in, len(a.Findings))
	}
	k.skipAll(unfound, "limits.bytes", "answer.rule", "answer.severity", "answer.confidence", "answer.span", "answer.text")
}

const unfound = "too little is found in the planted texts: give the kit some that the scanner finds something in"

// restricted hands over the same message with lower limits.
func (k *kit) restricted(in *input, found int) {
	if found < 2 {
		return
	}
	few := *in
	for _, n := range []int{1, 2, found - 1} {
		few.Limits.Findings = n
		k.try("limits.findings", "a limit of "+decimal(n)+" findings", &few, k.encode(&few))
	}
	short := *in
	for _, n := range []int{1024, 4096} {
		short.Limits.OutputBytes = n
		k.try("limits.bytes", "a limit of "+decimal(n)+" bytes", &short, k.encode(&short))
	}
}
