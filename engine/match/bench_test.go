package match

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// phrases returns n patterns of the kinds that scanners declare: sentences that
// command, names of secrets and of places where they are kept, the beginnings
// of tokens, and shapes of numbers.
func phrases(n int) []Pattern {
	var out []Pattern
	for _, shape := range []string{
		"<d4> <d4> <d4> <d4>", "<d4>-<d4>-<d4>-<d4>", "<d3>-<d2>-<d4>", "ghp_<w36>", "github_pat_<w22>", "AKIA<w16>", "xoxb-<d10>",
		"sk-ant-<w20>", "AIza<b35>", "eyJ<b10>", "glpat-<b20>", "npm_<w36>", "SG.<b22>.", "sk_live_<w24>", "hf_<a34>", "dop_v1_<x64>",
	} {
		out = append(out, Pattern{Shape: shape})
	}
	for _, text := range []string{
		"id_rsa", "id_ed25519", ".ssh/", ".aws/credentials", ".env", ".netrc", ".npmrc", ".pypirc", "/etc/shadow", "/etc/passwd", "kubeconfig",
		"-----BEGIN", "PRIVATE KEY", "bearer ", "authorization:", "api_key", "apikey", "client_secret", "access_token", "password=", "passwd",
		"system prompt", "<important>", "</system>", "[INST]", "<|im_start|>", "base64 -d", "curl -", "| sh", "rm -rf", "wget http", "ngrok", "webhook.site",
	} {
		out = append(out, Pattern{Text: text})
	}
	for _, act := range strings.Fields("send post upload leak exfiltrate forward transmit embed append reveal print disclose share hide conceal email encode") {
		for _, thing := range strings.Fields("credentials secrets tokens passwords history conversation transcript wallet mnemonic cookies keychain prompt context memory contacts invoices source") {
			out = append(out, Pattern{Text: act + " " + thing}, Pattern{Text: thing + " to " + act})
		}
	}
	verbs := []string{"ignore", "disregard", "forget", "override", "bypass", "skip", "drop", "discard", "replace", "neglect", "stop following", "do not follow"}
	which := []string{"all", "any", "every", "the", "your", "these", "those", "previous", "prior", "earlier"}
	what := []string{"instructions", "rules", "guidelines", "prompts", "directions", "restrictions", "safety checks", "messages", "constraints", "orders"}
	for _, v := range verbs {
		for _, w := range which {
			for _, o := range what {
				if len(out) == n {
					return out
				}
				out = append(out, Pattern{Text: v + " " + w + " " + o})
			}
		}
	}
	return out[:n]
}

var words = strings.Fields(`the a of to and in is for that on with as by this from or an be are it at which not have has was
	returns list value file name path user request server tool data query result search index message channel project issue branch commit
	date time number string optional required default maximum minimum limit filter order page cursor token count field table column row
	create update delete fetch read write send open close start stop run build deploy test check verify report summary weather city
	temperature customer invoice payment account email address street country product price quantity shipping repository pull review
	previous instructions about everything before answer please note when there all should only must can will more than other each`)

func prose(rng *rand.Rand, size int) string {
	var b strings.Builder
	for b.Len() < size {
		for n := 6 + rng.IntN(14); n > 0; n-- {
			b.WriteString(words[rng.IntN(len(words))])
			b.WriteByte(' ')
		}
		b.WriteString(words[rng.IntN(len(words))] + ". ")
	}
	return b.String()[:size]
}

func document(rng *rand.Rand, size int) string {
	var b strings.Builder
	b.WriteByte('[')
	for b.Len() < size {
		fmt.Fprintf(&b, `{"id":%d,"%s_%s":"%s","createdAt":"2026-%02d-%02dT%02d:%02d:00Z","url":"https://example.org/%s/%x","ok":%t,"score":%.4f,"note":%q},`,
			rng.IntN(1e6), words[rng.IntN(len(words))], words[rng.IntN(len(words))], prose(rng, 20+rng.IntN(60)),
			1+rng.IntN(12), 1+rng.IntN(28), rng.IntN(24), rng.IntN(60), words[rng.IntN(len(words))], rng.Uint64(), rng.IntN(2) == 0, rng.Float64(), prose(rng, 150))
	}
	return b.String()[:size]
}

func texts(size int) map[string]string {
	rng := rand.New(rand.NewPCG(3, 5))
	var mixed strings.Builder
	for mixed.Len() < size {
		mixed.WriteString(document(rng, 1500) + "\n" + prose(rng, 1000))
	}
	blob := make([]byte, size)
	for i := range blob {
		blob[i] = byte(rng.Uint32())
	}
	hostile := phrases(1000)
	var prefixes strings.Builder
	for prefixes.Len() < size {
		text := hostile[16+rng.IntN(984)].Text
		prefixes.WriteString(text[:len(text)-1])
	}
	return map[string]string{
		"mixed": mixed.String()[:size], "prose": prose(rng, size), "json": document(rng, size),
		"base64": base64.StdEncoding.EncodeToString(blob)[:size], "digits": strings.Repeat("4111 1111 2222 3333 ", size/20),
		"cyrillic": strings.Repeat("обычное сообщение о погоде ", size/50), "prefixes of patterns": prefixes.String()[:size],
	}
}

func benchmark(b *testing.B, size int, scan func()) {
	b.SetBytes(int64(size))
	for b.Loop() {
		scan()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/byte")
}

// BenchmarkAppend reads texts of 64 KiB. The references stand beside it: the
// same automaton without its filter, and what one would write first.
func BenchmarkAppend(b *testing.B) {
	all := texts(64 << 10)
	for _, n := range []int{60, 1000} {
		a := compile(b, phrases(n))
		for name, text := range all {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				var hits []Hit
				benchmark(b, len(text), func() { hits, _ = a.Append(hits[:0], text, math.MaxInt32) })
				b.ReportMetric(float64(len(hits)), "hits")
			})
		}
		for _, name := range []string{"mixed", "prefixes of patterns"} {
			b.Run(fmt.Sprintf("%d/%s without filter", n, name), func(b *testing.B) {
				benchmark(b, len(all[name]), func() { a.walk(all[name]) })
			})
		}
		b.Run(fmt.Sprintf("%d/mixed by strings.Contains", n), func(b *testing.B) {
			benchmark(b, len(all["mixed"]), func() {
				lower := strings.ToLower(all["mixed"])
				for _, p := range phrases(n)[16:] {
					strings.Contains(lower, strings.ToLower(p.Text))
				}
			})
		})
	}
}

// walk is the automaton alone. It returns how many targets accept.
func (a *Automaton) walk(text string) (accepted int) {
	target := uint32(0)
	for i := range len(text) {
		target = a.step(target&stateMask, a.column[text[i]])
		if target&accepts != 0 {
			accepted++
		}
	}
	return accepted
}

func BenchmarkShort(b *testing.B) {
	a := compile(b, phrases(1000))
	for _, size := range []int{8, 64, 512} {
		text := texts(64 << 10)["mixed"][:size]
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			benchmark(b, size, func() { a.Append(nil, text, 10) })
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	patterns := phrases(1000)
	for b.Loop() {
		a := compile(b, patterns)
		b.ReportMetric(float64(4*len(a.rows)+8*len(a.chain)), "table-bytes")
		b.ReportMetric(float64(len(a.ending)), "states")
	}
}
