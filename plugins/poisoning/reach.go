package main

import (
	"github.com/bartizan-mcp/bartizan/plugins/overreach"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// reach reads a text sentence by sentence for what goes beyond its entry.
func (l *listing) reach(v *verdicts, s *scanner.Segment, e *entry) {
	// Views and joined values repeat what is read already, out of its sentences.
	sentences := s.Provenance == "" && (s.Kind == "description" || s.Kind == "schema-description" || s.Kind == "instructions")
	var praise pitch
	var together overreach.Signs
	worst, where := 0, textmodel.Span{}
	reader.Read(s.Text, e.own, func(sentence overreach.Sentence) bool {
		span := textmodel.Span{Start: int32(sentence.Start), End: int32(sentence.End)}
		signs := sentence.Signs
		if signs.Any(overreach.Context, overreach.Secret) && l.deals(e) {
			signs &^= 1<<overreach.Context | 1<<overreach.Secret
		}
		if asks := signs.Has(overreach.Context) && s.Kind == "schema-description"; asks {
			v.add(ruleContext, "", 0.6, span)
		}
		praise.add(sentence, span)
		together |= signs
		if w := signs.Weight(); w >= 2 && w > worst {
			worst, where = w, span
		}
		if signs.Weight() < enough {
			if sentences && l.strange(e, s.Text[sentence.Start:sentence.End], signs) {
				v.add(ruleErrand, "", 0.5, span)
			}
			return true
		}
		confidence := min(0.95, 0.5+0.07*float64(signs.Weight()-enough))
		switch {
		case signs.Has(overreach.Errand):
			v.add(ruleErrand, "", confidence, span)
		case signs.Any(overreach.Foreign, overreach.AnyTool, overreach.Tamper):
			v.add(ruleHijack, "", confidence, span)
		case signs.Any(overreach.Conceal, overreach.Quiet):
			v.add(ruleConceal, "", confidence, span)
		case signs.Has(overreach.Disregard):
			v.add(ruleDisregard, "", confidence, span)
		case signs.Has(overreach.SecretFile):
			v.add(rulePrivateFile, "", confidence, span)
		case signs.Has(overreach.Address):
			v.add(ruleDiversion, "", confidence, span)
		case signs.Has(overreach.Context):
			v.add(ruleContext, "", confidence, span)
		case signs.Any(overreach.Compare, overreach.Disparage, overreach.Choose):
			// as praise, below
		default:
			v.add(ruleHijack, "", confidence, span)
		}
		return true
	})
	if worst > 0 && worst < enough && together.Weight() >= enoughTogether {
		v.add(ruleHijack, "", 0.5, where)
	}
	if praise.sells() {
		v.add(rulePromotion, "", 0.6, praise.span)
	}
}

// enough is the weight of a sentence from which it is more than documentation.
const enough = 3

// enoughTogether is that of a text whose signs are spread over sentences.
const enoughTogether = 5

// pitch adds up how a text advertises its entry.
type pitch struct {
	praises, supports, chosen, compared, disparaged int
	span                                            textmodel.Span
}

func (p *pitch) add(s overreach.Sentence, span textmodel.Span) {
	had := p.chosen + p.compared + p.disparaged
	p.praises += s.Praises
	p.supports += s.Supports
	if s.Signs.Has(overreach.Choose) {
		p.chosen = 1
	}
	if s.Signs.Has(overreach.Compare) {
		p.compared = 1
	}
	if s.Signs.Has(overreach.Disparage) {
		p.disparaged = 1
	}
	if had == 0 && p.chosen+p.compared+p.disparaged > 0 || p.span.End == 0 && s.Praises > 0 {
		p.span = span
	}
}

// sells reports a text that is made to be chosen rather than understood.
func (p *pitch) sells() bool {
	others := 2*p.compared + 2*p.disparaged
	praises := p.praises
	if praises+others > 0 || p.supports >= 3 && p.chosen > 0 {
		praises += p.supports
	}
	return min(praises, 4)+p.chosen+others >= 4 || p.chosen > 0 && p.compared > 0
}
