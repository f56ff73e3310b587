package checklist

// Probe is what runs of a local server in isolation came to. Its texts are
// escaped and cut.
type Probe struct {
	Report      string // digest of the whole report
	Runs        int
	Network     []string // destinations beyond those declared
	Files       []string
	Programs    []string
	Leaks       []string // planted secrets that were seen somewhere
	Attacks     []string // system calls by which programs break out
	Differences []string // between circumstances
	OneEra      []string // entries that are listed in one era only
}

// probed answers from the probe. Where none was made the item informs: not every
// registry can isolate programs, and a supplied listing is marked as supplied.
// Once measured, a failure blocks.
func probed(f *Facts, found func(*Probe) []string, good, bad string) outcome {
	switch {
	case f.Binding == "endpoint":
		return notNeeded("a remote endpoint: nothing is started")
	case f.Probe == nil:
		o := unmeasured("it was not started in isolation; the source of its listing is " + f.ListingSource)
		o.informs = true
		return o
	}
	list := found(f.Probe)
	facts := map[string]any{"report": f.Probe.Report, "runs": f.Probe.Runs, "scopes": f.Scopes, "found": clip(list)}
	return verdict(list, good, bad, facts)
}

func keepsSecrets(f *Facts) outcome {
	return probed(f, func(p *Probe) []string { return append(append([]string{}, p.Attacks...), p.Leaks...) },
		"no planted secret was seen anywhere, and nothing was tried that breaks out", "secrets that were seen, or attempts to break out")
}

func sameEverywhere(f *Facts) outcome {
	o := probed(f, func(p *Probe) []string { return p.Differences }, "the same under all circumstances", "differences between circumstances")
	if facts, ok := o.facts.(map[string]any); ok && f.Probe != nil {
		facts["oneEra"] = clip(f.Probe.OneEra)
	}
	return o
}

func filesDeclared(f *Facts) outcome {
	return probed(f, func(p *Probe) []string { return append(append([]string{}, p.Files...), p.Programs...) },
		"it reached for nothing beyond what is declared", "files or programs beyond what is declared")
}

func networkDeclared(f *Facts) outcome {
	return probed(f, func(p *Probe) []string { return p.Network },
		"it tried no destination beyond those declared", "destinations beyond those declared")
}
